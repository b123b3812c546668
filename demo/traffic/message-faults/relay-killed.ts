import { type FaultScript, paymentsRoute } from '../faults/stage'
import { emailOf, expectAppliedOnce, findingOfMessage, messagesOf, relayTimeoutMs, withGoods } from './order'

/** A relay dies after the consumers took its messages and before it marked them: another publishes them again, and nothing happens. */
export const relayKilled: FaultScript = async (stage) => {
  const { reference, keys } = stage.operation
  const victim = await stage.victims.take()
  await stage.messages.withRelayPaused(async () => {
    await stage.client.pay(paymentsRoute, withGoods(stage), { key: keys[0] })
    victim.tell({ type: 'publish-and-hang', url: stage.client.url, key: reference })
    await victim.expect('reached', relayTimeoutMs)
    await victim.kill()
  })
  const messages = await messagesOf(stage, reference, 2)
  const ids = messages.map(({ id }) => id)
  await stage.messages.until('sent', ids)
  await expectAppliedOnce(stage, messages, emailOf(stage))
  const [first] = messages
  if (first === undefined) throw new Error('it has no message')
  return { ...findingOfMessage(stage, first), messageIds: ids }
}
