import { sleep } from '../clock'
import type { AcquiredOrExpired, AcquireRequest, Hold } from '../stores/store'
import type { RequestTelemetry } from '../telemetry'
import { findHold } from './holds'
import type { Settings } from './options'

const POLL_MS_MIN = 25
const POLL_MS_MAX = 500

/** `mayBegin`: whether it may begin an execution, or only be answered with what there is. */
type Wanted = AcquireRequest & { otherFingerprints: () => readonly Uint8Array[]; mayBegin: boolean }

/**
 * Acquires, unless an operator holds it; while another holder works it asks again, for at most `waitMs`. A request that seems to
 * be another one is compared by `otherFingerprints` too: its key may have been written by a process of another version.
 */
export async function acquireWaiting<Tx>(
  { store, clock, random, waitMs }: Settings<Tx>,
  { otherFingerprints, mayBegin, ...wanted }: Wanted,
  telemetry: RequestTelemetry,
): Promise<{ acquired: AcquiredOrExpired; waited: boolean }> {
  const untilMs = clock.nowMs() + waitMs
  let waited = false
  for (let pollMs = POLL_MS_MIN; ; pollMs = Math.min(POLL_MS_MAX, pollMs * 2)) {
    const hold = await findHold(store, wanted.scope, wanted.key)
    const ask = (request: AcquireRequest) =>
      telemetry.meter(() =>
        acquireUnlessHeld(store, waited ? { ...request, retry: true } : request, hold, mayBegin),
      )
    let acquired = await ask(wanted)
    if (acquired.kind === 'mismatch') {
      for (const fingerprint of otherFingerprints())
        if (acquired.kind === 'mismatch') acquired = await ask({ ...wanted, fingerprint })
    }
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
  mayBegin: boolean,
): Promise<AcquiredOrExpired> {
  if (store.holds === undefined) return mayBegin ? store.acquire(request) : { kind: 'expired' }
  if (hold === null && mayBegin) return store.acquire(request)
  const looked = await store.holds.look(request)
  if (looked.kind !== 'held') return looked
  return hold === null || !mayBegin ? { kind: 'expired' } : { kind: 'held', hold }
}
