import { type FaultScript, findingOf, paymentBody, paymentsRoute, reachTimeoutMs } from './stage'

/** The service dies before it called the provider; the client's retry takes over once the lease has run out. */
export const killedBeforeEffect: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  const victim = await stage.victims.take()
  const paying = stage.client.pay(paymentsRoute, paymentBody(stage.operation), {
    key,
    first: { fault: 'before-effect', url: victim.url },
  })
  // Handled below; the barrier may fail first.
  paying.catch(() => undefined)
  await victim.expect('reached', reachTimeoutMs)
  await victim.kill()
  const payment = await paying
  return findingOf(stage, paymentsRoute, key, [payment.charge])
}
