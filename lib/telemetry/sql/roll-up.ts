import { bucketSql } from '../histogram'

/**
 * Minutes to recompute, newest first, each under its own transaction lock: two workers never write one minute at
 * once, and neither waits for the other. $1 = how many.
 */
export const CLAIM_MINUTES = `
  SELECT minute FROM (
    SELECT DISTINCT minute FROM telemetry.dirty_minute ORDER BY minute DESC LIMIT $1
  ) candidate
  WHERE pg_try_advisory_xact_lock(hashtextextended('telemetry.roll_up ' || extract(epoch FROM minute), 0))`

/** Before recomputing, in a statement of its own: marks that are committed later stay, with the rows they stand for. */
export const UNMARK_MINUTES = 'DELETE FROM telemetry.dirty_minute WHERE minute = ANY ($1::timestamptz[])'

/**
 * Figures outlive the events they came from: a minute whose leaf was dropped is left as it was, whatever a late
 * witness of another kind marks.
 */
const forget = (table: string, kind: 'sighting' | 'effect') => `
  DELETE FROM telemetry.${table} WHERE minute = ANY ($1::timestamptz[])
    AND to_regclass('telemetry.${kind}_' || to_char(minute AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL`

export const FORGET_REQUESTS = forget('minute_request', 'sighting')
export const FORGET_LATENCIES = forget('minute_latency', 'sighting')
export const FORGET_EFFECTS = forget('minute_effect', 'effect')

export const RECOMPUTE_REQUESTS = `
  INSERT INTO telemetry.minute_request (minute, requests, store_operations, store_errors, expired_retries,
    executed_again, ttl_max_ms, service, version, endpoint, client, outcome)
  SELECT m.minute, count(*), sum(s.store_operations), sum(s.store_errors), count(*) FILTER (WHERE s.expired_retry),
         count(*) FILTER (WHERE s.outcome = 'takeover' OR s.expired_retry
           OR (s.effect_twice AND s.outcome IN ('executed', 'stale', 'bypassed'))),
         max((extract(epoch FROM s.record_expires_at - s.record_created_at) * 1000)::bigint),
         s.service, s.version, s.endpoint, s.client,
         CASE WHEN s.outcome = 'observed' AND s.duplicate THEN 'observed_again' ELSE s.outcome END
  FROM unnest($1::timestamptz[]) AS m(minute)
  JOIN telemetry.sighting s ON s.time >= m.minute AND s.time < m.minute + interval '1 minute'
  GROUP BY m.minute, s.service, s.version, s.endpoint, s.client, 12`

/** By the minute of the end. A request lasts at most a day, which bounds the leaves that are read. */
export const RECOMPUTE_LATENCIES = `
  INSERT INTO telemetry.minute_latency (minute, count, bucket, service, version, endpoint, client)
  SELECT m.minute, count(*), ${bucketSql('s.end_time - coalesce(s.record_created_at, s.time)')}, s.service, s.version,
         s.endpoint, s.client
  FROM unnest($1::timestamptz[]) AS m(minute)
  JOIN telemetry.sighting s ON s.final AND s.end_time >= m.minute AND s.end_time < m.minute + interval '1 minute'
   AND s.time > m.minute - interval '1 day' AND s.time < m.minute + interval '1 minute'
  GROUP BY m.minute, 3, s.service, s.version, s.endpoint, s.client`

export const RECOMPUTE_EFFECTS = `
  INSERT INTO telemetry.minute_effect (minute, committed, duplicates, service, version, endpoint, client, name)
  SELECT m.minute, count(*), count(*) FILTER (WHERE e.duplicate), e.service, e.version,
         substr(e.scope, strpos(e.scope, '/') + 1), CASE WHEN strpos(e.scope, '/') > 0 THEN split_part(e.scope, '/', 1) ELSE '' END,
         e.name
  FROM unnest($1::timestamptz[]) AS m(minute)
  JOIN telemetry.effect e ON e.time >= m.minute AND e.time < m.minute + interval '1 minute'
  WHERE e.outcome = 'committed'
  GROUP BY m.minute, e.service, e.version, 6, 7, e.name`
