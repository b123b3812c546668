import type pg from 'pg'
import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { type Db, inTransaction } from '@/lib/db'
import { SHORT_STEPS_SECONDS } from '../window'
import {
  DERIVE_TENS,
  DERIVED_KINDS,
  derive,
  derivePoints,
  FORGET_POINTS,
  FORGET_TENS,
  forgetSteps,
} from './derive'
import {
  CLAIM_MINUTES,
  FORGET_DELIVERIES,
  FORGET_EFFECTS,
  FORGET_LATENCIES,
  FORGET_REQUESTS,
  MARK_DAYS,
  MARK_HOURS,
  RECOMPUTE_DELIVERIES,
  RECOMPUTE_EFFECTS,
  RECOMPUTE_LATENCIES,
  RECOMPUTE_REQUESTS,
  UNMARK_MINUTES,
} from './roll-up-minutes'
import { claimSteps, ROLL_UP_KINDS, type Step, sumSteps, unmarkSteps } from './roll-up-steps'

/** Minutes of one transaction: short enough not to hold snapshots, long enough to be cheap. */
const BATCH_MINUTES = 20
/** Hours or days of one transaction. */
const BATCH_STEPS = 4

const STATEMENTS = [
  UNMARK_MINUTES,
  FORGET_REQUESTS,
  FORGET_LATENCIES,
  FORGET_EFFECTS,
  FORGET_DELIVERIES,
  RECOMPUTE_REQUESTS,
  RECOMPUTE_LATENCIES,
  RECOMPUTE_EFFECTS,
  RECOMPUTE_DELIVERIES,
  ...DERIVED_KINDS.flatMap((kind) => [forgetSteps('minute', kind), derive('minute', kind)]),
  FORGET_TENS,
  DERIVE_TENS,
  FORGET_POINTS,
  ...SHORT_STEPS_SECONDS.map(derivePoints),
  MARK_HOURS,
  MARK_DAYS,
] as const

const minutesSchema = z.array(z.object({ minute: z.date() }))
const stepsSchema = z.array(z.object({ at: z.date() }))

/**
 * Recomputes whole minutes that intake marked, from the events' flags: never increments, so a minute may be done
 * any number of times. Then sums the hours and days that ended and changed. Safe beside intake and other workers
 * (see CLAIM_MINUTES). Returns how many minutes were done; fewer than `limit` means that nothing free is left.
 */
export async function rollUpDirtyMinutes(
  db: Db,
  clock: Clock,
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
  await rollUpSteps(db, clock, 'hour', options.limit)
  await rollUpSteps(db, clock, 'day', options.limit)
  return { minutes, newest }
}

function rollUpSome(db: Db, limit: number): Promise<Date[]> {
  return inTransaction(db.pool, async (client) => {
    const { rows } = await client.query(CLAIM_MINUTES, [limit])
    const minutes = minutesSchema.parse(rows).map((row) => row.minute)
    if (minutes.length === 0) return minutes
    await preferIndexes(client)
    for (const statement of STATEMENTS) await client.query(statement, [minutes])
    return minutes
  })
}

/** Sums at most `limit` hours or days; returns how many. */
async function rollUpSteps(db: Db, clock: Clock, step: Step, limit: number): Promise<number> {
  let done = 0
  while (done < limit) {
    const some = await inTransaction(db.pool, async (client) => {
      const { rows } = await client.query(claimSteps(step), [
        clock.now(),
        Math.min(BATCH_STEPS, limit - done),
      ])
      const steps = stepsSchema.parse(rows).map((row) => row.at)
      if (steps.length === 0) return 0
      await preferIndexes(client)
      await client.query(unmarkSteps(step), [steps])
      for (const kind of ROLL_UP_KINDS) {
        await client.query(forgetSteps(step, kind), [steps])
        await client.query(sumSteps(step, kind), [steps])
      }
      for (const kind of DERIVED_KINDS) {
        await client.query(forgetSteps(step, kind), [steps])
        await client.query(derive(step, kind), [steps])
      }
      return steps.length
    })
    if (some === 0) break
    done += some
  }
  return done
}

/** A few steps out of large tables, whatever statistics say about them. */
async function preferIndexes(client: pg.PoolClient): Promise<void> {
  await client.query('SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off')
}
