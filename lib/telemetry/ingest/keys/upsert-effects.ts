import { withinBounds } from './lock-keys-sql'

/**
 * One row per (name, step, scope, key, effect id); an observer adds to it. Safe without a unique index because the
 * key's row is locked. The best observer names the time (span, store, provider; of equals the earliest), so the
 * result does not depend on the order of arrival. A resend changes no row. $1, $2 = bounds, $3 = what is
 * observed as JSON (apply-keys.ts), with what is known of its locked key. Returns the minutes that changed.
 */
export const UPSERT_EFFECTS = `
  WITH given AS (
    SELECT decode("keyHash", 'hex') AS key_hash, decode("traceId", 'hex') AS trace_id, "effectId" AS effect_id,
           "amountMinor" AS amount_minor, r.*
    FROM jsonb_to_recordset($3::jsonb) AS r("keyHash" text, scope text, name text, step text, "effectId" text,
      rank smallint, time timestamptz, outcome text, "amountMinor" bigint, currency text, kind text, service text,
      version text, "traceId" text, "seenFirst" timestamptz, "seenLast" timestamptz, "terminalUntil" timestamptz)
  ), observed AS (
    SELECT key_hash, scope, name, step, effect_id, min(rank) AS rank,
           (array_agg(time ORDER BY rank, time))[1] AS time,
           (array_agg(outcome ORDER BY array_position('{committed,unknown,failed,skipped}'::text[], outcome)))[1] AS outcome,
           (array_agg(amount_minor ORDER BY rank, time) FILTER (WHERE amount_minor IS NOT NULL))[1] AS amount_minor,
           (array_agg(currency ORDER BY rank, time) FILTER (WHERE currency IS NOT NULL))[1] AS currency,
           min(kind) AS kind,
           coalesce((array_agg(service ORDER BY rank, time, service) FILTER (WHERE service IS NOT NULL))[1], '') AS service,
           coalesce((array_agg(version ORDER BY rank, time, service) FILTER (WHERE service IS NOT NULL))[1], '') AS version,
           bool_or(rank = 1) AS by_span, bool_or(rank = 2) AS by_store, bool_or(rank = 3) AS by_provider,
           coalesce(array_agg(DISTINCT trace_id) FILTER (WHERE trace_id IS NOT NULL), '{}') AS trace_ids,
           -- the same in all rows of a key
           min("seenFirst") AS first_seen_at, min("seenLast") AS last_seen_at, min("terminalUntil") AS terminal_until
    FROM given GROUP BY key_hash, scope, name, step, effect_id
  ), known AS (
    SELECT e.time AS old_time, w.*,
           CASE WHEN w.rank < e.time_rank THEN w.time WHEN w.rank = e.time_rank THEN least(w.time, e.time) ELSE e.time END
             AS new_time,
           CASE WHEN array_position('{committed,unknown,failed,skipped}'::text[], w.outcome)
                   < array_position('{committed,unknown,failed,skipped}'::text[], e.outcome)
                THEN w.outcome ELSE e.outcome END AS new_outcome,
           CASE WHEN w.rank < e.time_rank THEN coalesce(w.amount_minor, e.amount_minor)
                ELSE coalesce(e.amount_minor, w.amount_minor) END AS new_amount,
           CASE WHEN w.rank < e.time_rank THEN coalesce(w.currency, e.currency)
                ELSE coalesce(e.currency, w.currency) END AS new_currency,
           CASE WHEN named THEN w.service ELSE e.service END AS new_service,
           CASE WHEN named THEN w.version ELSE e.version END AS new_version,
           ARRAY(SELECT DISTINCT id FROM unnest(e.trace_ids || w.trace_ids) AS id ORDER BY id LIMIT 16) AS new_trace_ids
    FROM observed w
    CROSS JOIN LATERAL (
      SELECT e.* FROM telemetry.effect e
      WHERE e.key_hash = w.key_hash AND e.scope = w.scope AND e.name = w.name AND e.step = w.step
        AND e.effect_id = w.effect_id AND e.time >= w.first_seen_at AND e.time <= w.last_seen_at
        AND ${withinBounds('e')} OFFSET 0
    ) e
    -- the span that names the time names the service
    CROSS JOIN LATERAL (SELECT w.rank = 1 AND (e.time_rank > 1 OR w.time < e.time) AS named) n
  ), updated AS (
    UPDATE telemetry.effect e SET
      time = k.new_time, time_rank = least(e.time_rank, k.rank), outcome = k.new_outcome, amount_minor = k.new_amount,
      currency = k.new_currency, kind = coalesce(e.kind, k.kind), trace_ids = k.new_trace_ids,
      service = k.new_service, version = k.new_version,
      seen_by_span = e.seen_by_span OR k.by_span, seen_by_store = e.seen_by_store OR k.by_store,
      seen_by_provider = e.seen_by_provider OR k.by_provider
    FROM known k
    WHERE e.key_hash = k.key_hash AND e.scope = k.scope AND e.name = k.name AND e.step = k.step
      AND e.effect_id = k.effect_id AND e.time = k.old_time AND ${withinBounds('e')}
      AND (e.time, e.time_rank, e.outcome, e.amount_minor, e.currency, e.seen_by_span OR NOT k.by_span,
           e.seen_by_store OR NOT k.by_store, e.seen_by_provider OR NOT k.by_provider, e.trace_ids,
           e.service, e.version)
          IS DISTINCT FROM
          (k.new_time, least(e.time_rank, k.rank), k.new_outcome, k.new_amount, k.new_currency, true, true, true,
           k.new_trace_ids, k.new_service, k.new_version)
    RETURNING k.old_time, k.new_time
  ), inserted AS (
    INSERT INTO telemetry.effect (time, orphan_at, amount_minor, time_rank, outcome, seen_by_span, seen_by_store,
      seen_by_provider, duplicate, settled, key_hash, name, step, scope, effect_id, kind, currency, service, version,
      trace_ids)
    SELECT w.time, NULL, w.amount_minor, w.rank, w.outcome, w.by_span, w.by_store, w.by_provider, false,
           coalesce(w.terminal_until >= w.time, false), w.key_hash, w.name, w.step, w.scope, w.effect_id, w.kind,
           w.currency, w.service, w.version, w.trace_ids[1:16]
    FROM observed w
    WHERE NOT EXISTS (SELECT FROM known k WHERE (k.key_hash, k.scope, k.name, k.step, k.effect_id)
                                              = (w.key_hash, w.scope, w.name, w.step, w.effect_id))
    RETURNING time
  )
  SELECT date_bin('1 minute', old_time, 'epoch') AS minute FROM updated
  UNION SELECT date_bin('1 minute', new_time, 'epoch') FROM updated
  UNION SELECT date_bin('1 minute', time, 'epoch') FROM inserted`
