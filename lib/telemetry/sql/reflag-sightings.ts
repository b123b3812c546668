import { KEYS_WITH_HISTORY } from './reflag-effects'

/** Of keys seen before, and of new ones with a duplicate effect; writes only rows whose flags differ. */
export const REFLAG_SIGHTINGS = `
  WITH key AS MATERIALIZED (
    SELECT t.*, EXISTS (
      SELECT FROM telemetry.effect e WHERE e.key_hash = t.key_hash AND e.scope = t.scope AND e.duplicate
        AND e.time >= t.first_seen_at AND e.time <= t.last_seen_at) AS twice
    FROM (${KEYS_WITH_HISTORY}) t
  ), flagged AS (
    SELECT s.time, s.trace_id, s.span_id,
           s.time = k.first_sighting_at AS first_seen,
           s.outcome IN ('replayed', 'in_progress', 'mismatch', 'waited', 'takeover')
             OR (s.outcome = 'observed' AND s.time > k.first_sighting_at) AS duplicate,
           coalesce(s.outcome IN ('executed', 'takeover') AND k.first_expiry_at <= s.time, false) AS expired_retry,
           k.twice AND EXISTS (
             SELECT FROM telemetry.effect e WHERE e.key_hash = k.key_hash AND e.scope = k.scope AND e.duplicate
               AND e.time >= k.first_seen_at AND e.time <= k.last_seen_at AND s.trace_id = ANY (e.trace_ids)) AS effect_twice
    FROM key k
    JOIN telemetry.sighting s ON s.key_hash = k.key_hash AND s.scope = k.scope
     AND s.time >= k.first_seen_at AND s.time <= k.last_seen_at
    WHERE k.twice OR NOT k.is_new
  ), changed AS (
    UPDATE telemetry.sighting s SET
      first_seen = f.first_seen, duplicate = f.duplicate, expired_retry = f.expired_retry, effect_twice = f.effect_twice
    FROM flagged f
    WHERE s.time = f.time AND s.trace_id = f.trace_id AND s.span_id = f.span_id
      AND (s.first_seen, s.duplicate, s.expired_retry, s.effect_twice)
          IS DISTINCT FROM (f.first_seen, f.duplicate, f.expired_retry, f.effect_twice)
    RETURNING s.time
  )
  INSERT INTO dirty SELECT DISTINCT date_bin('1 minute', time, 'epoch') FROM changed`
