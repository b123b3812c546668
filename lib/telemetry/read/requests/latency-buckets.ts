import { z } from 'zod'
import type { Db } from '@/lib/db'
import { PERCENTILES_OF_STEPS } from '@/lib/telemetry/rollup/derive'
import { coarsestFor, rowsOfWindow } from '@/lib/telemetry/rollup/roll-up-rows'
import {
  isUnfiltered,
  SHORT_STEPS_SECONDS,
  type TelemetryWindow,
  windowParameters,
} from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

const rowsOf = (window: TelemetryWindow, coarsest: 'minute' | 'hour' | 'day') =>
  `${rowsOfWindow('latency', window, coarsest, 'bucket, count, service, endpoint, client')}
  WHERE ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)`

const mergedSchema = z.object({ bucket: z.number().int(), count: bigintColumn })

/** The histogram of the whole window. */
export function readMergedLatency(db: Db, window: TelemetryWindow): Promise<z.infer<typeof mergedSchema>[]> {
  const sql = `
  SELECT bucket, sum(count)::text AS count FROM ${rowsOf(window, 'day')} GROUP BY 1 ORDER BY 1`
  return readRows(db.pool, mergedSchema, sql, windowParameters(window))
}

const stepSchema = z.object({
  at: z.date(),
  count: bigintColumn,
  p50: z.number().int(),
  p95: z.number().int(),
  p99: z.number().int(),
})

/** Of steps so many seconds long, from histograms. */
const stepsFrom = (rows: string, seconds: number) => `
  WITH step AS (
    SELECT date_bin('${seconds} seconds', minute, 'epoch') AS at, bucket, sum(count)::bigint AS count FROM ${rows} GROUP BY 1, 2
  ) ${PERCENTILES_OF_STEPS}`

/** Of all together: whole steps are ready; what the window cuts off at its edges is found from its minutes. */
function readySteps(seconds: number): string {
  const ceil = `date_bin('${seconds} seconds', $1::timestamptz + interval '${seconds} seconds' - interval '1 microsecond', 'epoch')`
  const floor = `date_bin('${seconds} seconds', $2::timestamptz, 'epoch')`
  const edges = `telemetry.minute_latency_all WHERE minute >= $1 AND minute < least($2::timestamptz, ${ceil})
    OR minute >= greatest(${floor}, ${ceil}) AND minute < $2`
  return `
  SELECT minute AS at, count, p50, p95, p99 FROM telemetry.minute_latency_point
  WHERE seconds = ${seconds} AND minute >= ${ceil} AND minute < ${floor}
  UNION ALL (${stepsFrom(edges, seconds)})`
}

/**
 * For each step of `stepSeconds` in which something ended the buckets of its percentiles. Found in the database: a
 * week's histograms are tens of thousands of rows, of which a chart needs three hundred.
 */
export function readLatencySteps(
  db: Db,
  window: TelemetryWindow,
  stepSeconds: number,
): Promise<z.infer<typeof stepSchema>[]> {
  const isReady = isUnfiltered(window) && SHORT_STEPS_SECONDS.includes(stepSeconds)
  const steps = isReady
    ? readySteps(stepSeconds)
    : stepsFrom(rowsOf(window, coarsestFor(stepSeconds)), stepSeconds)
  const sql = `SELECT at, count::text, p50, p95, p99 FROM (${steps}) steps ORDER BY at`
  return readRows(db.pool, stepSchema, sql, isReady ? [window.from, window.to] : windowParameters(window))
}
