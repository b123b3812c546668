import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readKeysOfWindow } from '../keys-of-window'

const CLIENTS_MAX = 1_000

const rowSchema = z.object({
  client: z.string(),
  keys: z.coerce.number(),
  retried: z.coerce.number(),
  requests: z.coerce.number(),
  most: z.coerce.number(),
  reused: z.coerce.number(),
  windows: z.array(z.coerce.number()).nullable(),
  longest_ms: z.coerce.number().nullable(),
  new_keys: z.coerce.number(),
  new_keys_peak: z.coerce.number(),
})
export type ClientKeysRow = z.infer<typeof rowSchema>

const IN_WINDOW = `s.time >= $1 AND s.time < $2 AND s.key_hash IS NOT NULL AND s.outcome <> 'unkeyed'`

/**
 * Of most keys the window has one request, their first: these are counted as they are read. Only the others, few, are put
 * together by key. New keys are those whose first request ever lies in the window, by the minute in which it came.
 */
const SQL = `
  WITH again AS MATERIALIZED (
    SELECT DISTINCT key_hash FROM telemetry.keyed_request s WHERE ${IN_WINDOW} AND (s.duplicate OR NOT s.first_seen)
  ), life AS MATERIALIZED (
    SELECT s.client, count(*) AS times, min(s.time) AS first_at, max(s.time) - min(s.time) AS lasted,
      bool_or(s.first_seen) AS fresh, bool_or(s.outcome = 'mismatch') AS reused
    FROM again JOIN telemetry.keyed_request s USING (key_hash)
    WHERE ${IN_WINDOW} GROUP BY s.client, s.scope, s.key_hash
  ), alone AS MATERIALIZED (
    SELECT s.client, date_bin('1 minute', s.time, 'epoch') AS minute, count(*) AS keys
    FROM telemetry.keyed_request s
    WHERE ${IN_WINDOW} AND NOT EXISTS (SELECT FROM again a WHERE a.key_hash = s.key_hash)
    GROUP BY 1, 2
  ), fresh AS (
    SELECT client, sum(keys) AS new_keys, max(keys) AS new_keys_peak
    FROM (
      SELECT client, minute, sum(keys) AS keys FROM (
        SELECT client, minute, keys FROM alone
        UNION ALL
        SELECT client, date_bin('1 minute', first_at, 'epoch'), 1 FROM life WHERE fresh
      ) counted GROUP BY client, minute
    ) minutes GROUP BY client
  ), ones AS (
    SELECT client, sum(keys) AS keys FROM alone GROUP BY client
  ), several AS (
    SELECT client, count(*) AS keys, count(*) FILTER (WHERE times > 1) AS retried, sum(times) AS requests,
      max(times) AS most, count(*) FILTER (WHERE reused) AS reused,
      percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM lasted) * 1000)
        FILTER (WHERE times > 1) AS windows,
      max(extract(epoch FROM lasted) * 1000) FILTER (WHERE times > 1) AS longest_ms
    FROM life GROUP BY client
  )
  SELECT client, coalesce(o.keys, 0) + coalesce(s.keys, 0) AS keys, coalesce(retried, 0) AS retried,
    coalesce(o.keys, 0) + coalesce(requests, 0) AS requests, coalesce(most, 1) AS most, coalesce(reused, 0) AS reused,
    windows, longest_ms, coalesce(new_keys, 0) AS new_keys, coalesce(new_keys_peak, 0) AS new_keys_peak
  FROM ones o FULL JOIN several s USING (client) LEFT JOIN fresh USING (client)
  ORDER BY 2 DESC, client LIMIT ${CLIENTS_MAX}`

/** Each caller's keys over whole minutes, exactly, while keyed requests are kept. */
export const readClientKeys = (db: Db, window: { from: Date; to: Date }): Promise<ClientKeysRow[]> =>
  readKeysOfWindow(db, rowSchema, SQL, window)
