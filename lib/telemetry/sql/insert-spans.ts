import { FUTURE_AFTER_MS, LATE_AFTER_MS } from '../retention'

/** Columns of what arrived; `at` of the CTE `inserted` is when it started, $1 = received at. */
export const COUNT_ARRIVED = `
         count(*) FILTER (WHERE at < $1::timestamptz - interval '${LATE_AFTER_MS} milliseconds')::int AS late,
         count(*) FILTER (WHERE at > $1::timestamptz + interval '${FUTURE_AFTER_MS} milliseconds')::int AS future,
         min(at) AS first_at, max(at) AS last_at`

/** In the order of their identity, so that two receivers of the same resend cannot deadlock. $1 = received at. */
export const INSERT_SPANS = `
  WITH inserted AS (
    INSERT INTO telemetry.span (start_time, end_time, received_at, duration_ns, start_nanos, kind, status_code, trace_id,
      span_id, parent_span_id, name, status_message, service, version, instance, environment, region, attributes,
      events, links)
    SELECT start_time, end_time, $1, duration_ns, start_nanos, kind, status_code, trace_id, span_id, parent_span_id,
           name, status_message, service, version, instance, environment, region, attributes, events, links
    FROM stage ORDER BY trace_id, span_id, start_time
    ON CONFLICT DO NOTHING
    RETURNING start_time AS at, service, version, environment
  )
  SELECT date_bin('1 minute', at, 'epoch') AS minute, service, version, environment, count(*)::int AS spans,${COUNT_ARRIVED}
  FROM inserted GROUP BY 1, 2, 3, 4`
