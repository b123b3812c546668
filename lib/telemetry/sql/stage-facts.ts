/** A scope that neither the effect span nor its batch told: the key's, when only one scope uses that key. */
export const RESOLVE_EFFECT_SCOPES = `
  UPDATE stage SET effect_scope = coalesce(
    (SELECT min(k.scope) FROM telemetry.key k WHERE k.key_hash = stage.effect_key_hash AND k.scope <> ''
     HAVING count(*) = 1), '')
  WHERE effect_name IS NOT NULL AND effect_scope IS NULL`

export const STAGE_EFFECTS = `
  INSERT INTO effect_stage
  SELECT effect_key_hash, effect_scope, effect_name, effect_step, effect_id, 1, start_time, effect_outcome,
         effect_amount, effect_currency, effect_kind, service, version, trace_id
  FROM stage WHERE effect_name IS NOT NULL`

/**
 * What a sighting says about its key. An expiry counts when it lies after the sighting itself, so that it can only
 * speak against later ones. A terminal record was there at the end of the request that made it, or before any
 * other that saw it.
 */
export const STAGE_SIGHTED_KEYS = `
  INSERT INTO key_stage
  SELECT key_hash, scope, start_time, start_time,
         CASE WHEN record_expires_at > start_time THEN record_expires_at END,
         CASE WHEN record_state IN ('completed', 'failed_final')
              THEN CASE WHEN outcome IN ('executed', 'takeover') THEN end_time ELSE start_time END END,
         CASE WHEN record_state IN ('completed', 'failed_final') THEN coalesce(record_expires_at, 'infinity') END
  FROM stage WHERE key_hash IS NOT NULL AND outcome IS NOT NULL`

export const STAGE_EFFECT_KEYS = `
  INSERT INTO key_stage (key_hash, scope, seen_at)
  SELECT key_hash, scope, time FROM effect_stage`
