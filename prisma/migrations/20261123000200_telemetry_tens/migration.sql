-- Histograms of an endpoint over ten minutes, derived from those of its minutes: where a window does not begin or end with
-- an hour, six rows instead of sixty.
CREATE TABLE telemetry.ten_latency_route (LIKE telemetry.minute_latency_route INCLUDING ALL);

-- What was rolled up before.
INSERT INTO telemetry.ten_latency_route (minute, buckets, counts, service, version, endpoint, client)
SELECT minute, array_agg(bucket ORDER BY bucket), array_agg(count ORDER BY bucket), service, version, endpoint, ''
FROM (SELECT date_bin('10 minutes', minute, 'epoch') AS minute, bucket, sum(count)::bigint AS count, service, version, endpoint
      FROM telemetry.minute_latency_route CROSS JOIN LATERAL unnest(buckets, counts) AS entry(bucket, count)
      GROUP BY 1, bucket, service, version, endpoint) merged
GROUP BY minute, service, version, endpoint;
