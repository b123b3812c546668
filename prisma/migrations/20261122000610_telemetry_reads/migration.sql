-- Reads that do not grow with what is kept (docs/decisions/021-reads-that-do-not-grow.md).

-- The trace list: failed before slow before fast, whatever the window holds (lib/telemetry/read/list-traces.ts).
CREATE INDEX sighting_worst ON telemetry.sighting (
  (coalesce(status_code, 0) >= 500 OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice),
  (end_time - time), span_id
) WHERE key_hash IS NOT NULL;
-- What is not ordinary is rare: it is listed and counted without reading the rest.
CREATE INDEX sighting_notable ON telemetry.sighting (outcome, time, span_id)
  WHERE key_hash IS NOT NULL AND (outcome NOT IN ('executed', 'replayed') OR expired_retry OR effect_twice);

-- Latency of all together: the histograms of a week have millions of rows by endpoint and client. The columns are those
-- of minute_latency, '' in each.
CREATE TABLE telemetry.minute_latency_all (LIKE telemetry.minute_latency INCLUDING ALL);
CREATE TABLE telemetry.hour_latency_all   (LIKE telemetry.minute_latency INCLUDING ALL);
CREATE TABLE telemetry.day_latency_all    (LIKE telemetry.minute_latency INCLUDING ALL);
INSERT INTO telemetry.minute_latency_all (minute, count, bucket, service, version, endpoint, client)
SELECT minute, sum(count), bucket, '', '', '', '' FROM telemetry.minute_latency GROUP BY minute, bucket;
INSERT INTO telemetry.hour_latency_all (minute, count, bucket, service, version, endpoint, client)
SELECT minute, sum(count), bucket, '', '', '', '' FROM telemetry.hour_latency GROUP BY minute, bucket;
INSERT INTO telemetry.day_latency_all (minute, count, bucket, service, version, endpoint, client)
SELECT minute, sum(count), bucket, '', '', '', '' FROM telemetry.day_latency GROUP BY minute, bucket;
