import type pg from 'pg'
import { queryPrepared } from './rows/prepared'

/** $1 = what INSERT_SPANS or INSERT_LOGS gave, as JSON; $2 = received at. */
const ROWS = `jsonb_to_recordset($1::jsonb) AS r(minute timestamptz, service text, version text, environment text,
    spans int, logs int, late int, future int, first_at timestamptz, last_at timestamptz)`

/** Names that a sender makes up must not grow these tables: later services are '(other)', later versions no deploy. */
export const SERVICES_MAX = 1_000
const DEPLOYS_MAX = 10_000

/** `service` as it is counted. */
const ADMITTED = `
  unknown AS (
    SELECT service, row_number() OVER (ORDER BY service) + (SELECT count(*) FROM telemetry.service) AS place
    FROM (SELECT DISTINCT service FROM sent) named
    WHERE NOT EXISTS (SELECT FROM telemetry.service s WHERE s.service = named.service)
  ), arrived AS MATERIALIZED (
    SELECT minute, CASE WHEN u.place > ${SERVICES_MAX} THEN '(other)' ELSE service END AS service, version, environment,
           spans, logs, late, future, first_at, last_at
    FROM sent LEFT JOIN unknown u USING (service)
  )`

/**
 * $3 = minutes whose figures changed. What arrived by minute, each service's last sign of life, and versions first seen: one statement, because each costs
 * a small batch more in turns than in work. Last in the transaction: senders of one service share these few rows.
 */
const COUNT_INTAKE = `
  WITH sent AS MATERIALIZED (SELECT * FROM ${ROWS}), ${ADMITTED}, service AS (
    INSERT INTO telemetry.service AS s (service, environment, first_span_at, last_span_at, last_received_at)
    SELECT service, max(environment), min(first_at), max(last_at), $2::timestamptz
    FROM arrived GROUP BY service ORDER BY service
    ON CONFLICT (service) DO UPDATE SET
      first_span_at = least(s.first_span_at, excluded.first_span_at),
      last_span_at = greatest(s.last_span_at, excluded.last_span_at),
      last_received_at = greatest(s.last_received_at, excluded.last_received_at),
      environment = excluded.environment
  ), deploy AS (
    INSERT INTO telemetry.deploy AS d (service, version, environment, first_seen_at)
    SELECT service, version, environment, min(first_at) FROM arrived a
    WHERE version <> '' AND service <> '(other)' AND (
      EXISTS (SELECT FROM telemetry.deploy k WHERE (k.service, k.version, k.environment) = (a.service, a.version, a.environment))
      OR (SELECT count(*) FROM telemetry.deploy) < ${DEPLOYS_MAX})
    GROUP BY service, version, environment ORDER BY service, version, environment
    ON CONFLICT (service, version, environment) DO UPDATE SET first_seen_at = excluded.first_seen_at
    WHERE excluded.first_seen_at < d.first_seen_at
  ), dirty AS (
    INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT unnest($3::timestamptz[])
  )
  INSERT INTO telemetry.minute_intake AS m (minute, service, spans, logs, late, future, last_received_at)
  SELECT minute, service, sum(spans), coalesce(sum(logs), 0), sum(late), sum(future), $2::timestamptz
  FROM arrived GROUP BY minute, service ORDER BY minute, service
  ON CONFLICT (minute, service) DO UPDATE SET
    spans = m.spans + excluded.spans, logs = m.logs + excluded.logs, late = m.late + excluded.late,
    future = m.future + excluded.future, last_received_at = greatest(m.last_received_at, excluded.last_received_at)`

/**
 * `arrived`: rows of INSERT_SPANS, or the same counted by the caller; `minutes` = whose figures changed, in ms since
 * 1970. Last: these few rows are shared by all senders.
 */
export async function countIntake(
  client: pg.PoolClient,
  arrived: readonly unknown[],
  minutes: ReadonlySet<number>,
  receivedAt: Date,
): Promise<void> {
  if (arrived.length === 0 && minutes.size === 0) return
  const changed = [...minutes].map((minute) => new Date(minute))
  await queryPrepared(client, COUNT_INTAKE, [JSON.stringify(arrived), receivedAt, changed])
}
