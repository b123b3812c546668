/** $1 = what INSERT_SPANS gave, as JSON; $2 = received at. Last in the transaction: these few rows are shared. */
const ROWS = `jsonb_to_recordset($1::jsonb) AS r(minute timestamptz, service text, version text, environment text,
  spans int, first_at timestamptz, last_at timestamptz)`

export const COUNT_INTAKE = `
  INSERT INTO telemetry.minute_intake AS m (minute, service, spans, last_received_at)
  SELECT minute, service, sum(spans), $2::timestamptz FROM ${ROWS} GROUP BY minute, service ORDER BY minute, service
  ON CONFLICT (minute, service) DO UPDATE SET
    spans = m.spans + excluded.spans, last_received_at = greatest(m.last_received_at, excluded.last_received_at)`

export const TOUCH_SERVICES = `
  INSERT INTO telemetry.service AS s (service, environment, first_span_at, last_span_at, last_received_at)
  SELECT service, max(environment), min(first_at), max(last_at), $2::timestamptz FROM ${ROWS} GROUP BY service ORDER BY service
  ON CONFLICT (service) DO UPDATE SET
    first_span_at = least(s.first_span_at, excluded.first_span_at),
    last_span_at = greatest(s.last_span_at, excluded.last_span_at),
    last_received_at = greatest(s.last_received_at, excluded.last_received_at),
    environment = excluded.environment`

export const TOUCH_DEPLOYS = `
  INSERT INTO telemetry.deploy AS d (service, version, environment, first_seen_at)
  SELECT service, version, environment, min(first_at) FROM ${ROWS} WHERE version <> ''
  GROUP BY service, version, environment ORDER BY service, version, environment
  ON CONFLICT (service, version, environment) DO UPDATE SET first_seen_at = excluded.first_seen_at
  WHERE excluded.first_seen_at < d.first_seen_at`
