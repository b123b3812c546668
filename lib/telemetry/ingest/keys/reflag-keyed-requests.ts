import { GIVEN_KEYS, withinBounds } from './lock-keys-sql'

/**
 * Of keys seen before, and of new ones with a duplicate effect; writes only rows whose flags differ. $1, $2 = bounds,
 * $3 = keys. Returns the minutes that changed. OFFSET 0 keeps each key's rows a look-up of their own, by key: else the
 * planner may prefer to read all that lies within the bounds.
 */
export const REFLAG_KEYED_REQUESTS = `
  WITH ${GIVEN_KEYS}, keys_now AS MATERIALIZED (
    SELECT t.*, twice.trace_ids
    FROM key t
    CROSS JOIN LATERAL (
      SELECT array_agg(id) AS trace_ids FROM (
        SELECT e.trace_ids FROM telemetry.effect e
        WHERE e.key_hash = t.key_hash AND e.scope = t.scope AND e.duplicate
          AND e.time >= t.first_seen_at AND e.time <= t.last_seen_at AND ${withinBounds('e')} OFFSET 0
      ) e CROSS JOIN LATERAL unnest(e.trace_ids) AS id
    ) twice
  ), flagged AS (
    SELECT s.time, s.trace_id, s.span_id,
           s.time = k.first_request_at AS first_seen,
           s.outcome IN ('replayed', 'in_progress', 'mismatch', 'waited', 'takeover')
             OR (s.outcome = 'observed' AND s.time > k.first_request_at) AS duplicate,
           coalesce(s.outcome IN ('executed', 'takeover') AND k.first_expiry_at <= s.time, false) AS expired_retry,
           coalesce(s.trace_id = ANY (k.trace_ids), false) AS effect_twice
    FROM keys_now k
    CROSS JOIN LATERAL (
      SELECT s.* FROM telemetry.keyed_request s
      WHERE s.key_hash = k.key_hash AND s.scope = k.scope
        AND s.time >= k.first_seen_at AND s.time <= k.last_seen_at AND ${withinBounds('s')} OFFSET 0
    ) s
    WHERE k.trace_ids IS NOT NULL OR k.known
  ), changed AS (
    UPDATE telemetry.keyed_request s SET
      first_seen = f.first_seen, duplicate = f.duplicate, expired_retry = f.expired_retry, effect_twice = f.effect_twice
    FROM flagged f
    WHERE s.time = f.time AND s.trace_id = f.trace_id AND s.span_id = f.span_id AND ${withinBounds('s')}
      AND (s.first_seen, s.duplicate, s.expired_retry, s.effect_twice)
          IS DISTINCT FROM (f.first_seen, f.duplicate, f.expired_retry, f.effect_twice)
    RETURNING s.time
  )
  SELECT DISTINCT date_bin('1 minute', time, 'epoch') AS minute FROM changed`
