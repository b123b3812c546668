import type { ActionResult } from '@/lib/actions/execute'
import { REFUSAL_TEXT, type RefusalReason } from '@/lib/core/refusals'
import type { Reading } from '../assess/inspect'
import { formatLockVersion } from '../assess/lock-version'

/** How a verb ended on its key, with the last reading of the lock. */
export type VerbEnd = ActionResult &
  (
    | { state: 'done'; reading: Reading }
    /** The connection broke over the write: settle it by reading again. */
    | { state: 'unknown'; reading: Reading }
    | { state: 'refused'; reason: RefusalReason; reading: Reading | null }
  )

export function refused({ reason, reading }: { reason: RefusalReason; reading: Reading | null }): VerbEnd {
  const now =
    reading === null
      ? {}
      : {
          version: formatLockVersion(reading.version),
          verdict: reading.assessment.verdict,
          why: reading.assessment.reason,
        }
  return { state: 'refused', result: { reason, text: REFUSAL_TEXT[reason], now }, reason, reading }
}
