/** Flags of M1 and M5 come from the locked key's facts; earlier rows of the key are put right by reflag-sightings. */
export const INSERT_SIGHTINGS = `
  WITH inserted AS (
    INSERT INTO telemetry.sighting (time, end_time, record_created_at, record_expires_at, fence, attempt,
      store_operations, store_errors, status_code, first_seen, duplicate, expired_retry, effect_twice, final, trace_id,
      span_id, key_hash, original_trace_id, service, version, instance, environment, region, scope, endpoint, client,
      outcome, record_state, owner)
    SELECT s.start_time, s.end_time, s.record_created_at, s.record_expires_at, s.fence, s.attempt, s.store_operations,
           s.store_errors, s.http_status,
           coalesce(s.start_time = t.first_sighting_at, false),
           s.outcome IN ('replayed', 'in_progress', 'mismatch', 'waited', 'takeover')
             OR (s.outcome = 'observed' AND s.start_time > t.first_sighting_at),
           coalesce(s.outcome IN ('executed', 'takeover') AND t.first_expiry_at <= s.start_time, false),
           false,
           coalesce(s.outcome IN ('executed', 'takeover') AND s.record_state IN ('completed', 'failed_final'), false),
           s.trace_id, s.span_id, s.key_hash, s.original_trace_id, s.service, s.version, s.instance, s.environment,
           s.region, s.scope, s.endpoint, s.client, s.outcome, s.record_state, s.owner
    FROM stage s LEFT JOIN touched t ON t.key_hash = s.key_hash AND t.scope = s.scope
    WHERE s.outcome IS NOT NULL
    ORDER BY s.start_time, s.trace_id, s.span_id
    ON CONFLICT DO NOTHING
    RETURNING time, end_time, final
  )
  INSERT INTO dirty
  SELECT date_bin('1 minute', time, 'epoch') FROM inserted
  UNION
  SELECT date_bin('1 minute', end_time, 'epoch') FROM inserted WHERE final`
