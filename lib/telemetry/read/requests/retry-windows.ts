import { z } from 'zod'
import { type Db, inReadOnly } from '@/lib/db'

const ENDPOINTS_MAX = 200
const STATEMENT_TIMEOUT_MS = 20_000

const rowSchema = z.object({
  endpoint: z.string(),
  client: z.string().nullable(),
  keys: z.coerce.number(),
  retried: z.coerce.number(),
  quantiles: z.array(z.coerce.number()).nullable(),
  max_ms: z.coerce.number().nullable(),
  ttl_ms: z.coerce.number().nullable(),
  after_ttl: z.coerce.number(),
  observed_ms: z.coerce.number(),
})

/** From the first to the last time that a key came: how long a record has to be kept for it. */
const WINDOWS = `
  WITH life AS (
    SELECT endpoint, client, key_hash, scope, count(*) AS times, min(time) AS first_at, max(time) AS last_at,
      max(extract(epoch FROM record_expires_at - record_created_at) * 1000) AS ttl_ms
    FROM telemetry.keyed_request
    WHERE time >= $1 AND time < $2 AND key_hash IS NOT NULL AND outcome <> 'unkeyed'
    GROUP BY endpoint, client, key_hash, scope
  ), window_of AS (
    SELECT *, extract(epoch FROM last_at - first_at) * 1000 AS window_ms FROM life
  )
  SELECT endpoint, client, count(*) AS keys, count(*) FILTER (WHERE times > 1) AS retried,
    percentile_disc(ARRAY[0.5, 0.9, 0.99, 0.999, 0.9999]) WITHIN GROUP (ORDER BY window_ms) FILTER (WHERE times > 1) AS quantiles,
    max(window_ms) FILTER (WHERE times > 1) AS max_ms, max(ttl_ms) AS ttl_ms,
    count(*) FILTER (WHERE times > 1 AND window_ms > ttl_ms) AS after_ttl,
    greatest(1, extract(epoch FROM max(last_at) - min(first_at)) * 1000) AS observed_ms
  FROM window_of
  GROUP BY GROUPING SETS ((endpoint), (endpoint, client))
  ORDER BY count(*) DESC, endpoint LIMIT ${ENDPOINTS_MAX}`

export type RetryWindowRow = z.infer<typeof rowSchema>

/** By endpoint, and by endpoint and client (`client` = null is all of them), those with the most keys first. Times in ms. */
export async function readRetryWindows(db: Db, window: { from: Date; to: Date }): Promise<RetryWindowRow[]> {
  const { rows } = await inReadOnly(db.pool, STATEMENT_TIMEOUT_MS, (client) =>
    client.query(WINDOWS, [window.from, window.to]),
  )
  return rows.map((raw) => rowSchema.parse(raw))
}
