-- The two sides of one call may share an id (Zipkin's shared spans) and even a start: the kind tells them apart.
SET LOCAL lock_timeout = '5s';
DROP INDEX telemetry.span_identity;
CREATE UNIQUE INDEX span_identity ON telemetry.span (trace_id, span_id, start_time, kind);
