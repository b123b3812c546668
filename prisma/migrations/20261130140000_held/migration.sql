-- A request that an operator's hold stopped answers 503 and is no failure: it does not stand above those that are.
DROP INDEX telemetry.keyed_request_worst;
CREATE INDEX keyed_request_worst ON telemetry.keyed_request (
  ((coalesce(status_code, 0) >= 500 AND outcome <> 'held') OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice),
  (end_time - time), span_id
) WHERE key_hash IS NOT NULL;
DROP INDEX telemetry.keyed_request_notable_worst;
CREATE INDEX keyed_request_notable_worst ON telemetry.keyed_request (outcome,
  ((coalesce(status_code, 0) >= 500 AND outcome <> 'held') OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice),
  (end_time - time), span_id)
  WHERE key_hash IS NOT NULL AND (outcome NOT IN ('executed', 'replayed') OR expired_retry OR effect_twice);
