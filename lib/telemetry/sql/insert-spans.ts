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
    RETURNING start_time, service, version, environment
  )
  SELECT date_bin('1 minute', start_time, 'epoch') AS minute, service, version, environment, count(*)::int AS spans,
         min(start_time) AS first_at, max(start_time) AS last_at
  FROM inserted GROUP BY 1, 2, 3, 4`
