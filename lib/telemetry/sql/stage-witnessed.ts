/** $1 = JSON rows of witness-effects.ts. */
export const STAGE_WITNESSED_EFFECTS = `
  INSERT INTO effect_stage (key_hash, scope, name, step, effect_id, rank, time, outcome, amount_minor, currency)
  SELECT decode("keyHash", 'hex'), scope, name, step, "effectId", rank, at, outcome, "amountMinor", currency
  FROM jsonb_to_recordset($1::jsonb) AS r("keyHash" text, scope text, name text, step text, "effectId" text,
    rank smallint, at timestamptz, outcome text, "amountMinor" bigint, currency text)`

/** $1 = JSON rows of mark-terminal.ts. The record's expiry also speaks about later executions (M5). */
export const STAGE_TERMINAL_KEYS = `
  INSERT INTO key_stage (key_hash, scope, seen_at, expiry_at, terminal_at, terminal_until)
  SELECT decode("keyHash", 'hex'), scope, at, CASE WHEN "expiresAt" > at THEN "expiresAt" END, at,
         coalesce("expiresAt", 'infinity')
  FROM jsonb_to_recordset($1::jsonb) AS r("keyHash" text, scope text, at timestamptz, "expiresAt" timestamptz)`
