import { sleep } from './clock'
import { findHold } from './holds'
import type { Settings } from './options'
import type { AcquiredOrHeld, AcquireRequest, Hold } from './stores/store'
import type { RequestTelemetry } from './telemetry'

const POLL_MS_MIN = 25
const POLL_MS_MAX = 500

/** Acquires, unless an operator holds it; while another holder works it asks again, for at most `waitMs`. */
export async function acquireWaiting<Tx>(
  { store, clock, random, waitMs }: Settings<Tx>,
  request: AcquireRequest,
  telemetry: RequestTelemetry,
): Promise<{ acquired: AcquiredOrHeld; waited: boolean }> {
  const untilMs = clock.nowMs() + waitMs
  let waited = false
  for (let pollMs = POLL_MS_MIN; ; pollMs = Math.min(POLL_MS_MAX, pollMs * 2)) {
    const hold = await findHold(store, request.scope, request.key)
    const acquired = await telemetry.meter(() =>
      acquireUnlessHeld(store, waited ? { ...request, retry: true } : request, hold),
    )
    const leftMs = untilMs - clock.nowMs()
    if (acquired.kind !== 'in_progress' || leftMs <= 0) return { acquired, waited }
    waited = true
    await sleep(clock, Math.min(leftMs, pollMs * (0.5 + random() / 2)))
  }
}

async function acquireUnlessHeld<Tx>(
  store: Settings<Tx>['store'],
  request: AcquireRequest,
  hold: Hold | null,
): Promise<AcquiredOrHeld> {
  if (hold === null || store.holds === undefined) return store.acquire(request)
  const looked = await store.holds.look(request)
  return looked.kind === 'held' ? { kind: 'held', hold } : looked
}
