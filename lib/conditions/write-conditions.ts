import type pg from 'pg'
import { canonicalJson } from '@/lib/core/canonical-json'
import { CONDITIONS, type ConditionKind, type Severity } from '@/lib/core/condition-kinds'
import { notify } from '@/lib/live-events'
import { type Place, readTerms, type TermsRule, termsAt } from './terms'

/** A condition that was found to hold. What it is about stands in the detail: `system`, `service`, `endpoint`. */
export type Finding = {
  kind: ConditionKind
  subject: string
  /** Where it is not that of its kind; a rule that names one decides. */
  severity?: Severity
  detail: Record<string, unknown>
}

/** What was looked at: of it, what was not found is cleared. */
export type Evaluated = {
  kinds: readonly ConditionKind[]
  /** One subject, or one system with all that its conditions are about; left out = everything. */
  of?: string
  /**
   * What was written last holds, whatever its time. Else what was evaluated later stays, so that a process that was paused
   * raises nothing. For what is written in turns, or finds clocks that are wrong.
   */
  lastWriteHolds?: boolean
  /** The terms by which it was looked; left out = those in force. */
  rules?: readonly TermsRule[]
}

/**
 * A condition that holds again after it was cleared starts anew; one that goes on keeps its `since`. It is pending until it
 * has held for its time, and once it fires it goes on until it is cleared. One whose severity changes is raised again. Two that
 * raise one at once meet at its kind and subject alone: ids that were alike would collide before that.
 */
const RAISE = `
  INSERT INTO condition AS c
    (id, kind, subject, severity, for_ms, state, since, fired_at, detail, checked_at, cleared_at)
  SELECT 'con_' || replace(gen_random_uuid()::text, '-', ''), f.kind, f.subject, f.severity, f."forMs",
    CASE WHEN f."forMs" > 0 THEN 'pending' ELSE 'firing' END, $2::timestamptz, CASE WHEN f."forMs" > 0 THEN NULL ELSE $2::timestamptz END,
    f.detail, $2::timestamptz, NULL
  FROM jsonb_to_recordset($1::jsonb) f(kind text, subject text, severity text, "forMs" bigint, detail jsonb)
  ON CONFLICT (kind, subject) DO UPDATE
    SET since = CASE WHEN c.state = 'cleared' THEN excluded.since ELSE c.since END,
        state = CASE WHEN c.state = 'firing' OR c.state = 'pending' AND ${heldLongEnough()} THEN 'firing'
                     ELSE excluded.state END,
        fired_at = CASE WHEN c.state = 'firing' AND c.severity = excluded.severity THEN c.fired_at
                        WHEN c.state = 'firing' THEN excluded.checked_at
                        WHEN c.state = 'pending' AND ${heldLongEnough()} THEN excluded.checked_at
                        ELSE excluded.fired_at END,
        severity = excluded.severity, for_ms = excluded.for_ms, detail = excluded.detail,
        checked_at = excluded.checked_at, cleared_at = NULL
    WHERE $3 OR c.checked_at <= excluded.checked_at
  RETURNING state = 'firing' AS firing, fired_at = $2::timestamptz AS raised`

function heldLongEnough(): string {
  return `c.since + excluded.for_ms * interval '1 millisecond' <= excluded.checked_at`
}

const CLEAR = `
  WITH was AS (
    SELECT c.id, c.state FROM condition c
    WHERE c.state <> 'cleared' AND c.kind = ANY ($4) AND ($3 OR c.checked_at <= $2::timestamptz)
      AND ($5::text IS NULL OR c.subject = $5 OR c.detail->>'system' = $5)
      AND (c.kind, c.subject) NOT IN (
        SELECT f.kind, f.subject FROM jsonb_to_recordset($1::jsonb) f(kind text, subject text)
      ) FOR UPDATE
  ), cleared AS (
    UPDATE condition c SET state = 'cleared', cleared_at = $2::timestamptz, checked_at = $2::timestamptz FROM was WHERE was.id = c.id
  )
  SELECT count(*) FILTER (WHERE state = 'firing')::int AS cleared FROM was`

/** The one writer of conditions: what was found holds, what was evaluated and not found is cleared. */
export async function writeConditions(
  to: Pick<pg.Pool, 'query'>,
  now: Date,
  { kinds, of, lastWriteHolds = false, ...by }: Evaluated,
  findings: readonly Finding[],
): Promise<{ firing: number; raised: number; cleared: number }> {
  const rules = by.rules ?? (await readTerms(to)).rules
  const meant = findings.flatMap((finding) => withTerms(finding, rules))
  const values = [canonicalJson(meant), now, lastWriteHolds]
  const { rows } = await to.query<{ firing: boolean; raised: boolean | null }>(RAISE, values)
  const { rows: counted } = await to.query<{ cleared: number }>(CLEAR, [...values, kinds, of ?? null])
  const raised = rows.filter((row) => row.raised === true).length
  const cleared = counted[0]?.cleared ?? 0
  if (raised + cleared > 0) await notify(to, { kind: 'conditions' })
  return { firing: rows.filter(({ firing }) => firing).length, raised, cleared }
}

/** None where it is switched off. */
function withTerms(
  { kind, subject, severity, detail }: Finding,
  rules: readonly TermsRule[],
): [Required<Finding> & { forMs: number }] | [] {
  const terms = termsAt(rules, kind, placeOf(detail))
  if (terms.severity === 'off') return []
  return [
    {
      kind,
      subject,
      detail,
      severity: terms.severity ?? severity ?? CONDITIONS[kind].severity,
      forMs: terms.forMs,
    },
  ]
}

const placeOf = ({ system, service, endpoint }: Record<string, unknown>): Place => ({
  system: textOf(system),
  service: textOf(service),
  endpoint: textOf(endpoint),
})

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
