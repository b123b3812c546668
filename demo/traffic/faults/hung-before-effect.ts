import { expectCount, type FaultScript, findingOf, paymentBody, paymentsRoute, reachTimeoutMs } from './stage'

/** A handler hangs before the provider call until its deadline ends the heartbeat; the client gives up on the 503. */
export const hungBeforeEffect: FaultScript = async (stage) => {
  const { keys, customer, reference } = stage.operation
  const victim = await stage.victims.take()
  try {
    const refused = stage.client.attempt(paymentsRoute, paymentBody(stage.operation), {
      key: keys[0],
      fault: 'before-effect',
      url: victim.url,
    })
    await victim.expect('reached', reachTimeoutMs)
    await refused
  } finally {
    await stage.victims.retire(victim)
  }
  return findingOf(
    stage,
    paymentsRoute,
    keys[0],
    expectCount(await stage.provider.chargesOf(customer, reference), 0),
  )
}
