import type { Stage } from './stage'
import { expectCount, type FaultScript, findingOf, paymentBody, paymentsRoute, reachTimeoutMs } from './stage'

const legacyRoute = '/v1/legacy-payments'

/** A holder freezes past its lease, is taken over, and wakes: its fence is old, so its effect is refused. */
export const stoppedAndTakenOver: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  await pauseUntilTakenOver(stage, paymentsRoute, 'before-effect')
  const { customer, reference } = stage.operation
  return findingOf(
    stage,
    paymentsRoute,
    key,
    expectCount(await stage.provider.chargesOf(customer, reference), 1),
  )
}

/** The same on the route that calls the provider with a key for each attempt: the frozen one charges again. */
export const stoppedOnLegacyRoute: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  await pauseUntilTakenOver(stage, legacyRoute, 'before-provider-call')
  const { customer, reference } = stage.operation
  return findingOf(
    stage,
    legacyRoute,
    key,
    expectCount(await stage.provider.chargesOf(customer, reference), 2),
  )
}

async function pauseUntilTakenOver(
  stage: Stage,
  route: string,
  barrier: 'before-effect' | 'before-provider-call',
): Promise<void> {
  const [key] = stage.operation.keys
  const victim = await stage.victims.take()
  const paying = stage.client.pay(route, paymentBody(stage.operation), {
    key,
    first: { fault: barrier, url: victim.url },
  })
  // Handled below; the barrier may fail first.
  paying.catch(() => undefined)
  try {
    await victim.expect('reached', reachTimeoutMs)
    victim.stop()
    await paying
    victim.tell({ type: 'continue' })
    victim.continue()
    await victim.expect('finished', reachTimeoutMs)
  } finally {
    await stage.victims.retire(victim)
  }
}
