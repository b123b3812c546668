import { z } from 'zod'
import type { Db } from '@/lib/db'
import { DUPLICATE_OUTCOMES } from '@/lib/telemetry/measures/define-rates'
import { percentileMs } from '@/lib/telemetry/rollup/histogram'
import { rollUpRows } from '@/lib/telemetry/rollup/roll-up-rows'
import { type TelemetryWindow, toMinutes } from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

export type EndpointRow = {
  endpoint: string
  service: string
  version: string
  keyedRequests: number
  duplicates: number
  effectsTwice: number
  p95Ms: number | null
}

const rowSchema = z.object({
  endpoint: z.string(),
  service: z.string(),
  version: z.string(),
  keyed_requests: z.coerce.number(),
  duplicates: z.coerce.number(),
  effects_twice: z.coerce.number(),
  total: z.coerce.number(),
  latency: z.array(z.object({ bucket: z.number(), count: bigintColumn })).nullable(),
})

/** Most effects twice first, then the highest duplicate rate. Latency histograms only for the rows returned. */
const sqlOf = (histograms: string) => `
  WITH request AS (
    SELECT endpoint, service, version, sum(requests) AS keyed_requests,
           coalesce(sum(requests) FILTER (WHERE outcome = ANY($6)), 0) AS duplicates
    FROM ${rollUpRows('request', 'day', 'outcome, requests, service, version, endpoint, client')}
    WHERE outcome <> 'unkeyed'
      AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR client = $4)
    GROUP BY endpoint, service, version
  ), twice AS (
    SELECT endpoint, service, version, sum(duplicates) AS effects_twice
    FROM ${rollUpRows('effect', 'day', 'duplicates, service, version, endpoint, client')}
    WHERE ($4::text IS NULL OR client = $4)
    GROUP BY endpoint, service, version
  ), top AS (
    SELECT r.*, coalesce(t.effects_twice, 0) AS effects_twice, count(*) OVER () AS total
    FROM request r LEFT JOIN twice t USING (endpoint, service, version)
    ORDER BY coalesce(t.effects_twice, 0) DESC, r.duplicates / r.keyed_requests DESC, r.keyed_requests DESC,
             endpoint, service, version
    LIMIT $5
  ), latency AS (
    SELECT endpoint, service, version, bucket, sum(count) AS count
    FROM ${histograms}
      AND (endpoint, service, version) IN (SELECT endpoint, service, version FROM top)
    GROUP BY endpoint, service, version, bucket
  )
  SELECT t.endpoint, t.service, t.version, t.keyed_requests::text, t.duplicates::text, t.effects_twice::text, t.total::text,
         (SELECT json_agg(json_build_object('bucket', bucket, 'count', count::text) ORDER BY bucket)
          FROM latency l WHERE (l.endpoint, l.service, l.version) = (t.endpoint, t.service, t.version)) AS latency
  FROM top t
  ORDER BY t.effects_twice DESC, t.duplicates / t.keyed_requests DESC, t.keyed_requests DESC, endpoint, service, version`

const OF_ALL_CLIENTS = `${rollUpRows('latency_route', 'day', 'buckets, counts, service, version, endpoint')}
    CROSS JOIN LATERAL unnest(buckets, counts) AS entry(bucket, count) WHERE $4::text IS NULL`
const OF_ONE_CLIENT = `${rollUpRows('latency', 'day', 'bucket, count, service, version, endpoint, client')} WHERE client = $4`

export async function readEndpoints(
  db: Db,
  asked: Omit<TelemetryWindow, 'endpoint'> & { limit: number },
): Promise<{ total: number; rows: EndpointRow[] }> {
  const window = toMinutes(asked)
  const values = [
    window.from,
    window.to,
    window.service ?? null,
    window.client ?? null,
    asked.limit,
    DUPLICATE_OUTCOMES,
  ]
  const sql = sqlOf(window.client === undefined ? OF_ALL_CLIENTS : OF_ONE_CLIENT)
  const rows = await readRows(db.pool, rowSchema, sql, values)
  return {
    total: rows[0]?.total ?? 0,
    rows: rows.map((row) => ({
      endpoint: row.endpoint,
      service: row.service,
      version: row.version,
      keyedRequests: row.keyed_requests,
      duplicates: row.duplicates,
      effectsTwice: row.effects_twice,
      p95Ms: percentileMs(row.latency ?? [], 0.95),
    })),
  }
}
