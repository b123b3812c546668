import type pg from 'pg'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { ConditionKind } from '@/lib/core/verdict'
import { notify } from '@/lib/live-events'

/** A condition that was found to hold. */
export type Finding = { kind: ConditionKind; subject: string; detail: Record<string, unknown> }

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
}

/** A condition that holds again after it was cleared starts anew; one that goes on keeps its `since`. */
const RAISE = `
  INSERT INTO condition AS c (id, kind, subject, state, since, detail, checked_at, cleared_at)
  SELECT 'con_' || md5(f.kind || '|' || f.subject), f.kind, f.subject, 'firing', $2, f.detail, $2, NULL
  FROM jsonb_to_recordset($1::jsonb) f(kind text, subject text, detail jsonb)
  ON CONFLICT (kind, subject) DO UPDATE
    SET since = CASE WHEN c.state = 'firing' THEN c.since ELSE excluded.since END,
        state = 'firing', detail = excluded.detail, checked_at = excluded.checked_at, cleared_at = NULL
    WHERE $3 OR c.checked_at <= excluded.checked_at
  RETURNING since = $2 AS raised`

const CLEAR = `
  UPDATE condition c SET state = 'cleared', cleared_at = $2, checked_at = $2
  WHERE c.state = 'firing' AND c.kind = ANY ($4) AND ($3 OR c.checked_at <= $2)
    AND ($5::text IS NULL OR c.subject = $5 OR c.detail->>'system' = $5)
    AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset($1::jsonb) f(kind text, subject text) WHERE f.kind = c.kind AND f.subject = c.subject
    )`

/** The one writer of conditions: what was found holds, what was evaluated and not found is cleared. */
export async function writeConditions(
  to: Pick<pg.Pool, 'query'>,
  now: Date,
  { kinds, of, lastWriteHolds = false }: Evaluated,
  findings: readonly Finding[],
): Promise<{ firing: number; raised: number; cleared: number }> {
  const values = [canonicalJson(findings), now, lastWriteHolds]
  const { rows } = await to.query<{ raised: boolean }>(RAISE, values)
  const { rowCount } = await to.query(CLEAR, [...values, kinds, of ?? null])
  const raised = rows.filter((row) => row.raised).length
  const cleared = rowCount ?? 0
  if (raised + cleared > 0) await notify(to, { kind: 'conditions' })
  return { firing: findings.length, raised, cleared }
}
