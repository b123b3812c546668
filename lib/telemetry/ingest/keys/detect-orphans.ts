import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'

/**
 * $1 = now, $2 = grace in ms, $3 = limit. Reads the partial index of unsettled committed effects, which holds only
 * effects of keys in flight and open orphans. A concurrent batch that settles the effect wins: its row is
 * looked at again after the wait.
 */
const DETECT_ORPHANS = `
  UPDATE telemetry.effect e SET orphan_at = $1
  FROM (
    SELECT time, key_hash, scope, name, step, effect_id FROM telemetry.effect
    WHERE outcome = 'committed' AND NOT settled AND orphan_at IS NULL
      AND time <= $1::timestamptz - make_interval(secs => $2::float8 / 1000)
    ORDER BY time LIMIT $3
  ) due
  WHERE e.time = due.time AND e.key_hash = due.key_hash AND e.scope = due.scope AND e.name = due.name
    AND e.step = due.step AND e.effect_id = due.effect_id
    AND e.outcome = 'committed' AND NOT e.settled AND e.orphan_at IS NULL`

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
