import { COUNT_ARRIVED } from './insert-spans'

/** A temporary table of the connection, emptied at each commit. */
export const OPEN_LOG_STAGE = `
  CREATE TEMP TABLE IF NOT EXISTS log_stage (LIKE telemetry.log) ON COMMIT DELETE ROWS`

/** In the order of their identity, so that two receivers of the same resend cannot deadlock. $1 = received at. */
export const INSERT_LOGS = `
  WITH inserted AS (
    INSERT INTO telemetry.log SELECT * FROM log_stage ORDER BY digest, time
    ON CONFLICT DO NOTHING
    RETURNING time AS at, service, version, environment
  )
  SELECT date_bin('1 minute', at, 'epoch') AS minute, service, version, environment, 0 AS spans,
         count(*)::int AS logs,${COUNT_ARRIVED}
  FROM inserted GROUP BY 1, 2, 3, 4`
