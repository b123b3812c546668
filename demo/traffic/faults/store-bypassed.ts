import { expectCount, type FaultScript, findingOf, paymentBody, reachTimeoutMs } from './stage'

const route = '/v1/express-payments'

/** The store is down, the route goes on without it, and the service dies between the charge and the ledger. */
export const storeBypassed: FaultScript = async (stage) => {
  const { keys, customer, reference } = stage.operation
  const victim = await stage.victims.take()
  victim.tell({ type: 'store-down' })
  const lost = stage.client.attempt(route, paymentBody(stage.operation), {
    key: keys[0],
    fault: 'after-effect',
    url: victim.url,
  })
  await victim.expect('reached', reachTimeoutMs)
  await victim.kill()
  await lost
  return findingOf(stage, route, keys[0], expectCount(await stage.provider.chargesOf(customer, reference), 1))
}
