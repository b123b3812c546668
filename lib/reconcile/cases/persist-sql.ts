import { BY_RISK, sourceOf } from './flood'

/**
 * Opens a case for each break that has none. Its id follows from the break's, so that a run that is done again opens
 * nothing twice. Of a class that floods from one source only as many as it has room for. $1 run, $2 system, $3 now,
 * $4 as of, $5 floods as JSON.
 */
export const INSERT_CASES = `
  WITH fresh AS (
    SELECT f.*, ${sourceOf('f')} AS source FROM mirror.finding f
    WHERE f.run_id = $1 AND f.system = $2 AND f.outcome = 'break'
      AND NOT EXISTS (SELECT FROM reconciliation_case c WHERE c.break_id = f.break_id)
  ), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY class, source ORDER BY ${BY_RISK}) AS place FROM fresh
  ), opened AS (
    INSERT INTO reconciliation_case (id, break_id, system, operation_id, aspect, object_id, class, severity, outcome,
      lifecycle, triage, scope, key, effect_ids, reference, amount_minor, currency, evidence, evidence_hash, version,
      first_run_id, last_run_id, first_seen, last_seen, break_on)
    SELECT 'case_' || left(f.break_id, 26), f.break_id, f.system, f.operation_id, f.aspect, f.object_id, f.class,
      f.severity, f.outcome, 'new', 'open', f.scope, f.key, f.effect_ids, f.reference, f.amount_minor, f.currency,
      f.evidence, f.evidence_hash, 1, f.run_id, f.run_id, $3, $3, least(f.break_on, $4)
    FROM ranked f
    LEFT JOIN jsonb_to_recordset($5::jsonb) AS flood(class text, source text, room int)
      ON flood.class = f.class AND flood.source = f.source
    WHERE flood.class IS NULL OR f.place <= flood.room
    ON CONFLICT DO NOTHING
    RETURNING id, class, evidence_hash
  ), event AS (
    INSERT INTO case_event (case_id, at, kind, actor, data)
    SELECT id, $3, 'opened', 'system:reconciliation',
      jsonb_build_object('runId', $1::text, 'class', class, 'evidenceHash', evidence_hash)
    FROM opened
  )
  SELECT count(*) FROM opened`

/**
 * Brings open cases up to date and reopens resolved ones. The class may change, the identity does not. A break stays one
 * while it is found, even where this run could not confirm it again. What a person closed stays closed, its evidence
 * as it was, until the evidence is another one. Returns how many were reopened. $1 run, $2 system, $3 now, $4 by hand.
 */
export const CHANGE_CASES = `
  WITH found AS (
    SELECT c.id, c.lifecycle AS was, c.class AS was_class, c.evidence_hash AS was_hash, f.*
    FROM mirror.finding f
    JOIN reconciliation_case c ON c.break_id = f.break_id
    WHERE f.run_id = $1 AND f.system = $2 AND c.last_run_id IS DISTINCT FROM $1
      AND (c.lifecycle <> 'resolved'
        OR (f.outcome = 'break' AND (c.resolution IS DISTINCT FROM $4 OR c.evidence_hash <> f.evidence_hash)))
    FOR UPDATE OF c
  ), changed AS (
    UPDATE reconciliation_case c SET
      class = f.class, severity = f.severity,
      outcome = CASE WHEN c.outcome = 'break' AND f.class = c.class THEN 'break' ELSE f.outcome END,
      lifecycle = CASE WHEN f.was = 'resolved' THEN 'reopened' WHEN f.was = 'new' THEN 'persisting' ELSE f.was END,
      triage = CASE WHEN f.was = 'resolved' THEN 'open' ELSE c.triage END,
      operation_id = f.operation_id, scope = f.scope, key = f.key, effect_ids = f.effect_ids,
      reference = f.reference, amount_minor = f.amount_minor, currency = f.currency, evidence = f.evidence,
      evidence_hash = f.evidence_hash, last_run_id = $1, last_seen = $3,
      resolved_at = NULL, resolution = NULL,
      version = c.version + CASE WHEN f.was = 'resolved' OR f.evidence_hash <> f.was_hash THEN 1 ELSE 0 END
    FROM found f WHERE c.id = f.id
    RETURNING c.id, f.was, f.was_class, f.was_hash, c.class, c.evidence_hash
  ), event AS (
    INSERT INTO case_event (case_id, at, kind, actor, data)
    SELECT id, $3,
      CASE WHEN was = 'resolved' THEN 'reopened' WHEN class <> was_class THEN 'class_changed' ELSE 'evidence_changed' END,
      'system:reconciliation',
      jsonb_build_object('runId', $1::text, 'from', was_class, 'to', class, 'evidenceHash', evidence_hash)
    FROM changed
    WHERE was = 'resolved' OR class <> was_class OR evidence_hash <> was_hash
  )
  SELECT count(*) FILTER (WHERE was = 'resolved') FROM changed`

/**
 * Resolves what a complete run did not find any more. The event keeps the case's last evidence, and how its operation
 * looks now. $1 run, $2 system, $3 now, $4 the operations that were looked at, null = all that are open.
 */
export const HEAL_CASES = `
  WITH closed AS (
    UPDATE reconciliation_case c SET lifecycle = 'resolved', resolution = 'auto_resolved', resolved_at = $3,
      last_run_id = $1, version = c.version + 1
    WHERE c.system = $2 AND c.lifecycle <> 'resolved' AND ($4::bigint[] IS NULL OR c.operation_id = ANY ($4))
      AND NOT EXISTS (SELECT FROM mirror.finding f WHERE f.run_id = $1 AND f.break_id = c.break_id)
    RETURNING c.id, c.operation_id, c.evidence
  ), event AS (
    INSERT INTO case_event (case_id, at, kind, actor, data)
    SELECT h.id, $3, 'resolved', 'system:reconciliation', jsonb_build_object('runId', $1::text,
      'resolution', 'auto_resolved', 'was', h.evidence, 'now', (
        SELECT coalesce(jsonb_agg(to_jsonb(n)), '[]') FROM (
          SELECT o.side, o.kind, o.object_id AS id, o.status, o.amount_minor::text AS "amountMinor",
            o.refunded_minor::text AS "refundedMinor", o.currency, o.gone_at IS NOT NULL AS gone
          FROM mirror.object o WHERE o.system = $2 AND o.operation_id = h.operation_id
          ORDER BY o.occurred_at, o.born_seq LIMIT 20
        ) n))
    FROM closed h
  )
  SELECT count(*) FROM closed`
