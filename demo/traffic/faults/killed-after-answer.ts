import { expectCount, type FaultScript, findingOf, paymentBody, paymentsRoute, reachTimeoutMs } from './stage'

/** The service dies after the provider's answer, before or after it noted it; the client gives up. */
export const killedAfterAnswer: FaultScript = async (stage) => {
  const { keys, customer, reference, faultsBefore } = stage.operation
  const fault = faultsBefore % 2 === 0 ? 'before-settle' : 'after-effect'
  const victim = await stage.victims.take()
  const lost = stage.client.attempt(paymentsRoute, paymentBody(stage.operation), {
    key: keys[0],
    fault,
    url: victim.url,
  })
  await victim.expect('reached', reachTimeoutMs)
  await victim.kill()
  await lost
  return findingOf(
    stage,
    paymentsRoute,
    keys[0],
    expectCount(await stage.provider.chargesOf(customer, reference), 1),
  )
}
