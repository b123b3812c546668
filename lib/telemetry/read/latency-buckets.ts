import { z } from 'zod'
import type { Db } from '@/lib/db'
import { coarsestFor, rollUpRows } from '../sql/roll-up-rows'
import { type TelemetryWindow, windowParameters } from '../window'
import { bigintColumn, readRows } from './rows'

/** Without a filter from the histograms of all together, which are a hundredth of the rows. */
function rowsOf({ service, endpoint, client }: TelemetryWindow, coarsest: 'minute' | 'hour' | 'day'): string {
  const isAll = service === undefined && endpoint === undefined && client === undefined
  return `${rollUpRows(isAll ? 'latency_all' : 'latency', coarsest, 'bucket, count, service, endpoint, client')}
  WHERE ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)`
}

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

/** The first bucket in which the rank ⌈q·n⌉ lies. */
const percentile = (quantile: string) => `min(bucket) FILTER (WHERE seen >= ceil(${quantile} * total))`

/**
 * For each step of `stepSeconds` in which something ended the buckets of its percentiles. Found in the database: a
 * week's histograms are tens of thousands of rows, of which a chart needs three hundred.
 */
export function readLatencySteps(
  db: Db,
  window: TelemetryWindow,
  stepSeconds: number,
): Promise<z.infer<typeof stepSchema>[]> {
  const sql = `
  WITH step AS (
    SELECT date_bin(make_interval(secs => $6), minute, 'epoch') AS at, bucket, sum(count)::bigint AS count
    FROM ${rowsOf(window, coarsestFor(stepSeconds))} GROUP BY 1, 2
  ), running AS (
    SELECT at, bucket, sum(count) OVER (PARTITION BY at ORDER BY bucket) AS seen, sum(count) OVER (PARTITION BY at) AS total
    FROM step
  )
  SELECT at, max(total)::text AS count, ${percentile('0.5')} AS p50, ${percentile('0.95')} AS p95, ${percentile('0.99')} AS p99
  FROM running GROUP BY at ORDER BY at`
  return readRows(db.pool, stepSchema, sql, [...windowParameters(window), stepSeconds])
}
