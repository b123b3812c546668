-- Sums that readers want ready, derived from the roll-ups of minutes, hours and days (lib/telemetry/sql/derive.ts,
-- docs/decisions/021-reads-that-do-not-grow.md).

-- By outcome over all services, endpoints and clients; those columns are ''.
CREATE TABLE telemetry.minute_request_all (LIKE telemetry.minute_request INCLUDING ALL);
CREATE TABLE telemetry.hour_request_all   (LIKE telemetry.minute_request INCLUDING ALL);
CREATE TABLE telemetry.day_request_all    (LIKE telemetry.minute_request INCLUDING ALL);

-- Histograms of an endpoint over all its clients (client = ''), a row each: an entry of an array costs a tenth of a row.
CREATE TABLE telemetry.minute_latency_route (
  minute   timestamptz NOT NULL,
  buckets  smallint[]  NOT NULL,                   -- ascending
  counts   bigint[]    NOT NULL,                   -- as many
  service  text        NOT NULL,
  version  text        NOT NULL,
  endpoint text        NOT NULL,
  client   text        NOT NULL,
  PRIMARY KEY (minute, service, version, endpoint, client)
);
CREATE TABLE telemetry.hour_latency_route (LIKE telemetry.minute_latency_route INCLUDING ALL);
CREATE TABLE telemetry.day_latency_route  (LIKE telemetry.minute_latency_route INCLUDING ALL);

-- Percentiles of all together for the steps of a chart that are shorter than an hour; `minute` = where the step starts.
CREATE TABLE telemetry.minute_latency_point (
  minute  timestamptz NOT NULL,
  count   bigint      NOT NULL,
  seconds integer     NOT NULL,
  p50     smallint    NOT NULL,                    -- buckets
  p95     smallint    NOT NULL,
  p99     smallint    NOT NULL,
  PRIMARY KEY (seconds, minute)
);
CREATE INDEX minute_latency_point_minute ON telemetry.minute_latency_point (minute);

-- What was rolled up before.
INSERT INTO telemetry.minute_request_all (minute, requests, store_operations, store_errors, expired_retries, executed_again, ttl_max_ms,
  service, version, endpoint, client, outcome)
SELECT minute, sum(requests), sum(store_operations), sum(store_errors), sum(expired_retries), sum(executed_again),
       max(ttl_max_ms), '', '', '', '', outcome
FROM telemetry.minute_request GROUP BY minute, outcome;
INSERT INTO telemetry.minute_latency_route (minute, buckets, counts, service, version, endpoint, client)
SELECT minute, array_agg(bucket ORDER BY bucket), array_agg(count ORDER BY bucket), service, version, endpoint, ''
FROM (SELECT minute, bucket, sum(count)::bigint AS count, service, version, endpoint
      FROM telemetry.minute_latency GROUP BY minute, bucket, service, version, endpoint) merged
GROUP BY minute, service, version, endpoint;
INSERT INTO telemetry.hour_request_all (minute, requests, store_operations, store_errors, expired_retries, executed_again, ttl_max_ms,
  service, version, endpoint, client, outcome)
SELECT minute, sum(requests), sum(store_operations), sum(store_errors), sum(expired_retries), sum(executed_again),
       max(ttl_max_ms), '', '', '', '', outcome
FROM telemetry.hour_request GROUP BY minute, outcome;
INSERT INTO telemetry.hour_latency_route (minute, buckets, counts, service, version, endpoint, client)
SELECT minute, array_agg(bucket ORDER BY bucket), array_agg(count ORDER BY bucket), service, version, endpoint, ''
FROM (SELECT minute, bucket, sum(count)::bigint AS count, service, version, endpoint
      FROM telemetry.hour_latency GROUP BY minute, bucket, service, version, endpoint) merged
GROUP BY minute, service, version, endpoint;
INSERT INTO telemetry.day_request_all (minute, requests, store_operations, store_errors, expired_retries, executed_again, ttl_max_ms,
  service, version, endpoint, client, outcome)
SELECT minute, sum(requests), sum(store_operations), sum(store_errors), sum(expired_retries), sum(executed_again),
       max(ttl_max_ms), '', '', '', '', outcome
FROM telemetry.day_request GROUP BY minute, outcome;
INSERT INTO telemetry.day_latency_route (minute, buckets, counts, service, version, endpoint, client)
SELECT minute, array_agg(bucket ORDER BY bucket), array_agg(count ORDER BY bucket), service, version, endpoint, ''
FROM (SELECT minute, bucket, sum(count)::bigint AS count, service, version, endpoint
      FROM telemetry.day_latency GROUP BY minute, bucket, service, version, endpoint) merged
GROUP BY minute, service, version, endpoint;
INSERT INTO telemetry.minute_latency_point (minute, seconds, count, p50, p95, p99)
SELECT at, seconds, max(total), min(bucket) FILTER (WHERE seen >= ceil(0.5 * total)),
       min(bucket) FILTER (WHERE seen >= ceil(0.95 * total)), min(bucket) FILTER (WHERE seen >= ceil(0.99 * total))
FROM (
  SELECT at, seconds, bucket, sum(count) OVER (PARTITION BY seconds, at ORDER BY bucket) AS seen,
         sum(count) OVER (PARTITION BY seconds, at) AS total
  FROM (SELECT date_bin(make_interval(secs => seconds), minute, 'epoch') AS at, seconds, bucket, sum(count) AS count
        FROM telemetry.minute_latency_all, unnest('{60,120,300,600}'::integer[]) AS seconds GROUP BY 1, 2, 3) step
) running GROUP BY at, seconds;

-- The list of one rare outcome, the worst first, and its count without reading the rows.
DROP INDEX telemetry.sighting_notable;
CREATE INDEX sighting_notable ON telemetry.sighting (outcome, time, span_id) INCLUDE (expired_retry, effect_twice)
  WHERE key_hash IS NOT NULL AND (outcome NOT IN ('executed', 'replayed') OR expired_retry OR effect_twice);
CREATE INDEX sighting_notable_worst ON telemetry.sighting (outcome,
  (coalesce(status_code, 0) >= 500 OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice),
  (end_time - time), span_id)
  WHERE key_hash IS NOT NULL AND (outcome NOT IN ('executed', 'replayed') OR expired_retry OR effect_twice);
