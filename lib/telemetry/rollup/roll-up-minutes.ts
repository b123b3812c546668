import { ADMIT, KEPT } from './dimensions'
import { bucketSql } from './histogram'

/** Whoever changes a minute holds its ten minutes: what derive.ts derives of minutes is of steps up to so long. */
export const ROLL_UP_LOCK = '10 minutes'

/**
 * Minutes to recompute, newest first, under a transaction lock: two workers never write one minute at once, and
 * neither waits for the other. $1 = how many.
 */
export const CLAIM_MINUTES = `
  SELECT minute FROM (
    SELECT DISTINCT minute FROM telemetry.dirty_minute ORDER BY minute DESC LIMIT $1
  ) candidate
  WHERE pg_try_advisory_xact_lock(hashtextextended(
    'telemetry.roll_up ' || extract(epoch FROM date_bin('${ROLL_UP_LOCK}', minute, 'epoch')), 0))`

/** Before recomputing, in a statement of its own: marks that are committed later stay, with the rows they stand for. */
export const UNMARK_MINUTES = 'DELETE FROM telemetry.dirty_minute WHERE minute = ANY ($1::timestamptz[])'

/**
 * Figures outlive the events they came from: a minute whose partition was dropped is left as it was, whatever a late
 * observer of another kind marks.
 */
const forget = (table: string, kind: 'keyed_request' | 'effect' | 'delivery') => `
  DELETE FROM telemetry.${table} WHERE minute = ANY ($1::timestamptz[])
    AND to_regclass('telemetry.${kind}_' || to_char(minute AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL`

export const FORGET_REQUESTS = forget('minute_request', 'keyed_request')
export const FORGET_LATENCIES = forget('minute_latency', 'keyed_request')
export const FORGET_EFFECTS = forget('minute_effect', 'effect')
export const FORGET_DELIVERIES = forget('minute_delivery', 'delivery')

export const RECOMPUTE_REQUESTS = `
  WITH raw AS MATERIALIZED (
    SELECT m.minute, count(*) AS requests, sum(s.store_operations) AS store_operations,
           sum(s.store_errors) AS store_errors, count(*) FILTER (WHERE s.expired_retry) AS expired_retries,
           count(*) FILTER (WHERE s.outcome = 'takeover' OR s.expired_retry
             OR (s.effect_twice AND s.outcome IN ('executed', 'stale', 'bypassed'))) AS executed_again,
           max((extract(epoch FROM s.record_expires_at - s.record_created_at) * 1000)::bigint) AS ttl_max_ms,
           s.service, s.version, s.endpoint, s.client,
           CASE WHEN s.outcome = 'observed' AND s.duplicate THEN 'observed_again' ELSE s.outcome END AS outcome
    FROM unnest($1::timestamptz[]) AS m(minute)
    JOIN telemetry.keyed_request s ON s.time >= m.minute AND s.time < m.minute + interval '1 minute'
    GROUP BY m.minute, s.service, s.version, s.endpoint, s.client, 12
  ), ${ADMIT}
  INSERT INTO telemetry.minute_request (minute, requests, store_operations, store_errors, expired_retries,
    executed_again, ttl_max_ms, service, version, endpoint, client, outcome)
  SELECT minute, sum(requests), sum(store_operations), sum(store_errors), sum(expired_retries), sum(executed_again),
         max(ttl_max_ms), service, version, endpoint, client, outcome
  FROM (SELECT minute, requests, store_operations, store_errors, expired_retries, executed_again, ttl_max_ms, outcome,${KEPT}
        FROM raw) counted
  GROUP BY minute, service, version, endpoint, client, outcome`

/** By the minute of the end. A request lasts at most a day, which bounds the partitions that are read. */
export const RECOMPUTE_LATENCIES = `
  WITH raw AS MATERIALIZED (
    SELECT m.minute, count(*) AS count, ${bucketSql('s.end_time - coalesce(s.record_created_at, s.time)')} AS bucket,
           s.service, s.version, s.endpoint, s.client
    FROM unnest($1::timestamptz[]) AS m(minute)
    JOIN telemetry.keyed_request s ON s.final AND s.end_time >= m.minute AND s.end_time < m.minute + interval '1 minute'
     AND s.time > m.minute - interval '1 day' AND s.time < m.minute + interval '1 minute'
    GROUP BY m.minute, 3, s.service, s.version, s.endpoint, s.client
  ), ${ADMIT}
  INSERT INTO telemetry.minute_latency (minute, count, bucket, service, version, endpoint, client)
  SELECT minute, sum(count), bucket, service, version, endpoint, client
  FROM (SELECT minute, count, bucket,${KEPT} FROM raw) counted
  GROUP BY minute, bucket, service, version, endpoint, client`

export const RECOMPUTE_EFFECTS = `
  WITH raw AS MATERIALIZED (
    SELECT m.minute, count(*) AS committed, count(*) FILTER (WHERE e.duplicate) AS duplicates, e.service, e.version,
           substr(e.scope, strpos(e.scope, '/') + 1) AS endpoint,
           CASE WHEN strpos(e.scope, '/') > 0 THEN split_part(e.scope, '/', 1) ELSE '' END AS client, e.name
    FROM unnest($1::timestamptz[]) AS m(minute)
    JOIN telemetry.effect e ON e.time >= m.minute AND e.time < m.minute + interval '1 minute'
    WHERE e.outcome = 'committed'
    GROUP BY m.minute, e.service, e.version, 6, 7, e.name
  ), ${ADMIT}
  INSERT INTO telemetry.minute_effect (minute, committed, duplicates, service, version, endpoint, client, name)
  SELECT minute, sum(committed), sum(duplicates), service, version, endpoint, client, name
  FROM (SELECT minute, committed, duplicates, name,${KEPT} FROM raw) counted
  GROUP BY minute, service, version, endpoint, client, name`

export const RECOMPUTE_DELIVERIES = `
  WITH raw AS MATERIALIZED (
    SELECT m.minute, count(*) FILTER (WHERE d.first_seen) AS messages,
           count(*) FILTER (WHERE d.redelivered) AS redeliveries, d.service, d.version, d.destination AS endpoint,
           d.consumer AS client
    FROM unnest($1::timestamptz[]) AS m(minute)
    JOIN telemetry.delivery d ON d.time >= m.minute AND d.time < m.minute + interval '1 minute'
    GROUP BY m.minute, d.service, d.version, d.destination, d.consumer
  ), ${ADMIT}
  INSERT INTO telemetry.minute_delivery (minute, messages, redeliveries, service, version, endpoint, client)
  SELECT minute, sum(messages), sum(redeliveries), service, version, endpoint, client
  FROM (SELECT minute, messages, redeliveries,${KEPT} FROM raw) counted
  GROUP BY minute, service, version, endpoint, client`

/** In the transaction that changes the minutes, so that no reader takes an hour that lacks them. */
export const MARK_HOURS = `
  INSERT INTO telemetry.dirty_hour (hour)
  SELECT DISTINCT date_bin('1 hour', minute, 'epoch') FROM unnest($1::timestamptz[]) AS m(minute) ORDER BY 1`
export const MARK_DAYS = `
  INSERT INTO telemetry.dirty_day (day)
  SELECT DISTINCT date_bin('1 day', minute, 'epoch') FROM unnest($1::timestamptz[]) AS m(minute) ORDER BY 1`
