/** Of a batch of spans; its keys are merged by store/key-facts.ts. */
export const STAGE_EFFECTS = `
  INSERT INTO effect_stage
  SELECT effect_key_hash, effect_scope, effect_name, effect_step, effect_id, 1, start_time, effect_outcome,
         effect_amount, effect_currency, effect_kind, service, version, trace_id
  FROM stage WHERE effect_name IS NOT NULL`

export const STAGE_EFFECT_KEYS = `
  INSERT INTO key_stage (key_hash, scope, seen_at)
  SELECT key_hash, scope, time FROM effect_stage`
