import { sleep } from './clock'
import type { Settings } from './options'
import type { Acquired, AcquireRequest } from './stores/store'
import type { RequestTelemetry } from './telemetry'

const POLL_MS_MIN = 25
const POLL_MS_MAX = 500

/** Acquires; while another holder works it asks again, for at most `waitMs`. */
export async function acquireWaiting<Tx>(
  { store, clock, random, waitMs }: Settings<Tx>,
  request: AcquireRequest,
  telemetry: RequestTelemetry,
): Promise<{ acquired: Acquired; waited: boolean }> {
  const untilMs = clock.nowMs() + waitMs
  let waited = false
  for (let pollMs = POLL_MS_MIN; ; pollMs = Math.min(POLL_MS_MAX, pollMs * 2)) {
    const acquired = await telemetry.meter(() => store.acquire(request))
    const leftMs = untilMs - clock.nowMs()
    if (acquired.kind !== 'in_progress' || leftMs <= 0) return { acquired, waited }
    waited = true
    await sleep(clock, Math.min(leftMs, pollMs * (0.5 + random() / 2)))
  }
}
