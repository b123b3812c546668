import { z } from 'zod'
import type { Db } from '@/lib/db'
import { coarsestFor, rowsOfWindow } from '@/lib/telemetry/rollup/roll-up-rows'
import {
  bucketSeconds,
  bucketStarts,
  floorMinute,
  type TelemetryWindow,
  toMinutes,
  windowParameters,
} from '@/lib/telemetry/window'
import { readIntake } from '../intake'
import { readRows } from '../rows'

export type OutcomeBucket = {
  at: Date
  /** executed once, as intended */
  executed: number
  replayed: number
  /** in_progress, mismatch, waited, stale */
  conflict: number
  /** a takeover, an expired-key retry, or a request whose effect is a duplicate; in no other column */
  executedAgain: number
  /** stopped by an operator's hold */
  held: number
  /** bypassed, store_error, observed without an outcome */
  other: number
  /** false = nothing arrived: a gap, not a zero */
  ingested: boolean
  /** false = the bucket has not ended, or waits for its roll-up */
  complete: boolean
}

const rowSchema = z.object({
  at: z.date(),
  executed: z.coerce.number(),
  replayed: z.coerce.number(),
  conflict: z.coerce.number(),
  executed_again: z.coerce.number(),
  held: z.coerce.number(),
  other: z.coerce.number(),
})

const sqlOf = (window: TelemetryWindow, stepSeconds: number) => `
  WITH bucket AS (
    SELECT date_bin(make_interval(secs => $6), minute, 'epoch') AS at, outcome,
           sum(requests - executed_again) AS once, sum(executed_again) AS again
    FROM ${rowsOfWindow('request', window, coarsestFor(stepSeconds), 'outcome, requests, executed_again, service, endpoint, client')}
    WHERE outcome <> 'unkeyed'
      AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)
    GROUP BY 1, 2
  )
  SELECT at,
         coalesce(sum(once) FILTER (WHERE outcome = 'executed'), 0)::text AS executed,
         coalesce(sum(once) FILTER (WHERE outcome = 'replayed'), 0)::text AS replayed,
         coalesce(sum(once) FILTER (WHERE outcome IN ('in_progress', 'mismatch', 'waited', 'stale')), 0)::text AS conflict,
         coalesce(sum(once) FILTER (WHERE outcome = 'held'), 0)::text AS held,
         sum(again)::text AS executed_again,
         coalesce(sum(once) FILTER (WHERE outcome IN ('bypassed', 'store_error', 'observed', 'observed_again')), 0)::text
           AS other
  FROM bucket GROUP BY at ORDER BY at`

/** Requests by what became of them, in at most 300 buckets of whole minutes. */
export async function readOutcomeSeries(
  db: Db,
  asked: TelemetryWindow,
  now: Date,
): Promise<{ bucketSeconds: number; buckets: OutcomeBucket[] }> {
  const window = toMinutes(asked)
  const step = bucketSeconds(window.from, window.to)
  const [rows, intake] = await Promise.all([
    readRows(db.pool, rowSchema, sqlOf(window, step), [...windowParameters(window), step]),
    readIntake(db, window, step),
  ])
  const counts = new Map(rows.map((row) => [row.at.getTime(), row]))
  const arrived = new Map(intake.map((row) => [row.at.getTime(), row]))
  const currentMinuteMs = floorMinute(now).getTime()
  const buckets = bucketStarts(window.from, window.to, step).map((at) => {
    const row = counts.get(at.getTime())
    const seen = arrived.get(at.getTime())
    return {
      at,
      executed: row?.executed ?? 0,
      replayed: row?.replayed ?? 0,
      conflict: row?.conflict ?? 0,
      executedAgain: row?.executed_again ?? 0,
      held: row?.held ?? 0,
      other: row?.other ?? 0,
      ingested: seen?.arrived ?? false,
      complete: at.getTime() + step * 1000 <= currentMinuteMs && (seen?.dirty ?? 0n) === 0n,
    }
  })
  return { bucketSeconds: step, buckets }
}
