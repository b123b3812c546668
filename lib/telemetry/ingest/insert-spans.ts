import { FUTURE_AFTER_MS, LATE_AFTER_MS } from '../retention'

/** Temporary tables of the connection, emptied at each commit. */
export const OPEN_STAGE = `
  CREATE TEMP TABLE IF NOT EXISTS span_stage (LIKE telemetry.span) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE IF NOT EXISTS keyed_request_stage (LIKE telemetry.keyed_request) ON COMMIT DELETE ROWS`

/** Columns of what arrived; `at` of the CTE `inserted` is when it started, $1 = received at. */
export const COUNT_ARRIVED = `
         count(*) FILTER (WHERE at < $1::timestamptz - interval '${LATE_AFTER_MS} milliseconds')::int AS late,
         count(*) FILTER (WHERE at > $1::timestamptz + interval '${FUTURE_AFTER_MS} milliseconds')::int AS future,
         min(at) AS first_at, max(at) AS last_at`

/** In the order of their identity, so that two receivers of the same resend cannot deadlock. $1 = received at. */
export const INSERT_SPANS = `
  WITH inserted AS (
    INSERT INTO telemetry.span SELECT * FROM span_stage ORDER BY trace_id, span_id, start_time
    ON CONFLICT DO NOTHING
    RETURNING start_time AS at, service, version, environment
  )
  SELECT date_bin('1 minute', at, 'epoch') AS minute, service, version, environment, count(*)::int AS spans,${COUNT_ARRIVED}
  FROM inserted GROUP BY 1, 2, 3, 4`

/** Their flags come from the locked keys (keys/key-facts.ts). Returns the minutes that changed. */
export const INSERT_KEYED_REQUESTS = `
  WITH inserted AS (
    INSERT INTO telemetry.keyed_request SELECT * FROM keyed_request_stage ORDER BY time, trace_id, span_id
    ON CONFLICT DO NOTHING
    RETURNING time, end_time, final
  )
  SELECT date_bin('1 minute', time, 'epoch') AS minute FROM inserted
  UNION
  SELECT date_bin('1 minute', end_time, 'epoch') FROM inserted WHERE final`
