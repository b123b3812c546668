import { deriveProviderKey } from '../../../sdk/key-hash'
import { consumeScope } from '../../service/messaging/topics'
import { tiers } from '../../service/tiers'
import type { FaultScript } from '../faults/stage'
import { emailOf, findingOfMessage, onlyMessageOf, withReceipt } from './order'

/** Past the expiry for sure, whatever the clocks of this process and the store say. */
const marginMs = 1500

/** A topic is replayed when the inbox record has expired and the mailer has forgotten its key: the receipt is sent twice. */
export const redeliveredAfterExpiry: FaultScript = async (stage) => {
  const { client, messages, provider, operation } = stage
  await client.pay('/v1/quick-payments', withReceipt(stage), { key: operation.keys[0] })
  const message = await onlyMessageOf(stage)
  await messages.until('sent', [message.id])
  await stage.wait(tiers.quick.ttlMs + marginMs)
  await provider.control.forgetKey(deriveProviderKey(consumeScope('quick-receipts'), message.id, 'mail'))
  await messages.publishAgain(message.id)
  await messages.until('sent', [message.id])
  const mails = await messages.mailsTo(emailOf(stage))
  if (mails.length !== 2) throw new Error(`${mails.length} mails were sent, not 2`)
  return findingOfMessage(stage, message, mails)
}
