import { GIVEN_KEYS, withinBounds } from './lock-keys-sql'

/**
 * duplicate = not the first committed effect of its (name, step, scope, key), by time. settled = a terminal record
 * of the key lives at that time or later. An orphan whose record turns out to have been terminal before it was
 * found was a late span, not an orphan; one that becomes terminal afterwards stays found, and is no longer open.
 * $1, $2 = bounds, $3 = keys. Returns the minutes that changed.
 */
export const REFLAG_EFFECTS = `
  WITH ${GIVEN_KEYS}, flagged AS (
    SELECT e.time, e.key_hash, e.scope, e.name, e.step, e.effect_id, t.terminal_at,
           e.outcome = 'committed' AND e.effect_id <> '' AND row_number() OVER (
             PARTITION BY e.key_hash, e.scope, e.name, e.step, e.outcome = 'committed' AND e.effect_id <> ''
             ORDER BY e.time, e.effect_id) > 1 AS duplicate,
           coalesce(t.terminal_until >= e.time, false) AS settled
    FROM key t
    CROSS JOIN LATERAL (
      SELECT e.* FROM telemetry.effect e
      WHERE e.key_hash = t.key_hash AND e.scope = t.scope
        AND e.time >= t.first_seen_at AND e.time <= t.last_seen_at AND ${withinBounds('e')} OFFSET 0
    ) e
  ), changed AS (
    UPDATE telemetry.effect e SET
      duplicate = f.duplicate, settled = f.settled,
      orphan_at = CASE WHEN f.settled AND f.terminal_at <= e.orphan_at THEN NULL ELSE e.orphan_at END
    FROM flagged f
    WHERE e.key_hash = f.key_hash AND e.scope = f.scope AND e.name = f.name AND e.step = f.step
      AND e.effect_id = f.effect_id AND e.time = f.time AND ${withinBounds('e')}
      AND (e.duplicate, e.settled) IS DISTINCT FROM (f.duplicate, f.settled)
    RETURNING e.time
  ), twice AS (
    UPDATE telemetry.key k SET effect_twice = true
    FROM (SELECT DISTINCT key_hash, scope FROM flagged WHERE duplicate) f
    WHERE k.key_hash = f.key_hash AND k.scope = f.scope AND k.effect_twice IS NULL
  )
  SELECT DISTINCT date_bin('1 minute', time, 'epoch') AS minute FROM changed`
