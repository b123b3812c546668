import { z } from 'zod'
import type { Db } from '@/lib/db'
import { coarsestFor, rollUpRows } from '../sql/roll-up-rows'
import { type TelemetryWindow, windowParameters } from '../window'
import { bigintColumn, readRows } from './rows'

const rowSchema = z.object({ at: z.date(), bucket: z.number().int(), count: bigintColumn })
export type LatencyRow = z.infer<typeof rowSchema>

const sqlOf = (stepSeconds: number) => `
  SELECT date_bin(make_interval(secs => $6), minute, 'epoch') AS at, bucket, sum(count)::text AS count
  FROM ${rollUpRows('latency', coarsestFor(stepSeconds), 'bucket, count, service, endpoint, client')}
  WHERE ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)
  GROUP BY 1, 2 ORDER BY 1, 2`

/** Merged histograms, one for each step of `stepSeconds`, ascending. */
export function readLatencyBuckets(
  db: Db,
  window: TelemetryWindow,
  stepSeconds: number,
): Promise<LatencyRow[]> {
  return readRows(db.pool, rowSchema, sqlOf(stepSeconds), [...windowParameters(window), stepSeconds])
}
