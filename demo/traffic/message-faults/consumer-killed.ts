import type { Barrier } from '../../service/fault-points'
import { type FaultScript, paymentsRoute } from '../faults/stage'
import { emailOf, findingOfMessage, onlyMessageOf, relayTimeoutMs, withReceipt } from './order'

/**
 * A consumer dies while it holds a message. Its lease outlives the message's attempts, so the message is dead and its key stuck: of
 * what was killed before the mail, the key can be released and the message sent back; after it, a person has to look.
 */
export const consumerKilledBeforeEffect: FaultScript = kill('before-effect', 0)
export const consumerKilledAfterEffect: FaultScript = kill('after-effect', 1)

function kill(fault: Barrier, mails: number): FaultScript {
  return async (stage) => {
    const victim = await stage.victims.take()
    await stage.client.pay(paymentsRoute, withReceipt(stage), {
      key: stage.operation.keys[0],
      divert: { url: victim.url, fault },
    })
    await victim.expect('reached', relayTimeoutMs)
    await victim.kill()
    const message = await onlyMessageOf(stage)
    await stage.messages.until('dead', [message.id])
    const sent = await stage.messages.mailsTo(emailOf(stage))
    if (sent.length !== mails) throw new Error(`${sent.length} mails were sent, not ${mails}`)
    return findingOfMessage(stage, message)
  }
}
