import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import { DETECT_ORPHANS } from './sql/detect-orphans'

/** At most this many are found in one call; the caller comes again. */
const LIMIT_ROWS = 5_000

/**
 * Finds committed effects whose key is not known to have reached a terminal record `graceMs` after them (M6).
 * Grace must exceed the exporters' delay and the mirror's period: what is settled later stays found. Returns how many.
 */
export async function detectOrphans(db: Db, clock: Clock, options: { graceMs: number }): Promise<number> {
  const { rowCount } = await db.pool.query(DETECT_ORPHANS, [clock.now(), options.graceMs, LIMIT_ROWS])
  return rowCount ?? 0
}
