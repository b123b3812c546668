import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { type Db, inTransaction } from '@/lib/db'
import {
  CLAIM_MINUTES,
  FORGET_EFFECTS,
  FORGET_LATENCIES,
  FORGET_REQUESTS,
  RECOMPUTE_EFFECTS,
  RECOMPUTE_LATENCIES,
  RECOMPUTE_REQUESTS,
  UNMARK_MINUTES,
} from './sql/roll-up'

/** Minutes of one transaction: short enough not to hold snapshots, long enough to be cheap. */
const BATCH_MINUTES = 20

const STEPS = [
  UNMARK_MINUTES,
  FORGET_REQUESTS,
  FORGET_LATENCIES,
  FORGET_EFFECTS,
  RECOMPUTE_REQUESTS,
  RECOMPUTE_LATENCIES,
  RECOMPUTE_EFFECTS,
] as const

const rowsSchema = z.array(z.object({ minute: z.date() }))

/**
 * Recomputes whole minutes that intake marked, from the events' flags: never increments, so a minute may be done
 * any number of times. Safe beside intake and other workers (see CLAIM_MINUTES). Returns how many were done; fewer
 * than `limit` means that nothing free is left.
 */
export async function rollUpDirtyMinutes(
  db: Db,
  _clock: Clock,
  options: { limit: number },
): Promise<{ minutes: number; newest: Date | null }> {
  let minutes = 0
  let newest: Date | null = null
  while (minutes < options.limit) {
    const done = await rollUpSome(db, Math.min(BATCH_MINUTES, options.limit - minutes))
    if (done.length === 0) break
    minutes += done.length
    for (const minute of done) if (newest === null || minute > newest) newest = minute
  }
  return { minutes, newest }
}

function rollUpSome(db: Db, limit: number): Promise<Date[]> {
  return inTransaction(db.pool, async (client) => {
    const { rows } = await client.query(CLAIM_MINUTES, [limit])
    const minutes = rowsSchema.parse(rows).map((row) => row.minute)
    if (minutes.length === 0) return minutes
    await client.query(
      'SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off',
    )
    for (const step of STEPS) await client.query(step, [minutes])
    return minutes
  })
}
