import { canonicalJson } from '@/lib/core/canonical-json'
import type { ConditionKind } from '@/lib/core/verdict'
import type { Db } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { Finding } from './evaluate'

/** A condition that holds again after it was cleared starts anew; one that goes on keeps its `since`. */
const RAISE = `
  INSERT INTO condition AS c (id, kind, subject, state, since, detail, checked_at, cleared_at)
  SELECT 'con_' || md5(f.kind || '|' || f.subject), f.kind, f.subject, 'firing', $2, f.detail, $2, NULL
  FROM jsonb_to_recordset($1::jsonb) f(kind text, subject text, detail jsonb)
  ON CONFLICT (kind, subject) DO UPDATE
    SET since = CASE WHEN c.state = 'firing' THEN c.since ELSE excluded.since END,
        state = 'firing', detail = excluded.detail, checked_at = excluded.checked_at, cleared_at = NULL
    WHERE c.checked_at <= excluded.checked_at
  RETURNING since = $2 AS raised`

const CLEAR = `
  UPDATE condition c SET state = 'cleared', cleared_at = $2, checked_at = $2
  WHERE c.state = 'firing' AND c.kind = ANY ($3) AND c.checked_at <= $2
    AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset($1::jsonb) f(kind text, subject text) WHERE f.kind = c.kind AND f.subject = c.subject
    )`

/** Writes what was found and clears what was not, of the kinds that were evaluated. */
export async function writeConditions(
  db: Db,
  now: Date,
  evaluated: readonly ConditionKind[],
  findings: readonly Finding[],
): Promise<{ firing: number; raised: number; cleared: number }> {
  const json = canonicalJson(findings)
  const { rows } = await db.pool.query<{ raised: boolean }>(RAISE, [json, now])
  const { rowCount } = await db.pool.query(CLEAR, [json, now, evaluated])
  const raised = rows.filter((row) => row.raised).length
  const cleared = rowCount ?? 0
  if (raised + cleared > 0) await notify(db.pool, { kind: 'conditions' })
  return { firing: findings.length, raised, cleared }
}
