import { type FaultScript, paymentsRoute, reachTimeoutMs } from '../faults/stage'
import { emailOf, expectAppliedOnce, findingOfMessage, messagesOf, withGoods } from './order'

/** Long enough for the relay to look at what is committed behind the open transaction. */
const heldMs = 1500

/** A transaction publishes and commits behind a younger one: both are published, and nothing is passed over. */
export const outOfOrderCommit: FaultScript = async (stage) => {
  const { client, operation, messages } = stage
  const [firstKey, secondKey] = operation.keys
  const victim = await stage.victims.take()
  const body = withGoods(stage)
  const younger = `${operation.reference}-younger`
  try {
    const paying = client.pay(paymentsRoute, body, {
      key: firstKey,
      first: { fault: 'before-commit', url: victim.url },
    })
    // Handled below; the barrier may fail first.
    paying.catch(() => undefined)
    await victim.expect('reached', reachTimeoutMs)
    await client.pay(paymentsRoute, { ...body, reference: younger }, { key: secondKey })
    await stage.wait(heldMs)
    const held = await messagesOf(stage, younger, 2)
    if (held.some(({ state }) => state !== 'open')) throw new Error('the younger one was not held back')
    victim.tell({ type: 'continue' })
    await paying
    await victim.expect('finished', reachTimeoutMs)
  } finally {
    await stage.victims.retire(victim)
  }
  const all = [...(await messagesOf(stage, operation.reference, 2)), ...(await messagesOf(stage, younger, 2))]
  const ids = all.map(({ id }) => id)
  await messages.until('sent', ids)
  await expectAppliedOnce(stage, all, emailOf(stage))
  const [first] = all
  if (first === undefined) throw new Error('it has no message')
  return { ...findingOfMessage(stage, first), messageIds: ids }
}
