import type pg from 'pg'

/** What reconciliation itself finds to be wrong with a system or a source, as against with a payment. */
export type ConditionKind = 'case_flood' | 'clock_skew'

/** Since the first time that it was found in a row. */
export async function raiseCondition(
  client: pg.Pool | pg.PoolClient,
  condition: { kind: ConditionKind; subject: string; detail: Record<string, unknown> },
  now: Date,
): Promise<void> {
  await client.query(
    `INSERT INTO condition AS c (id, kind, subject, state, since, detail, checked_at, cleared_at)
     VALUES ('con_' || md5($1 || '|' || $2), $1, $2, 'firing', $3, $4, $3, NULL)
     ON CONFLICT (kind, subject) DO UPDATE SET detail = excluded.detail, checked_at = excluded.checked_at,
       since = CASE WHEN c.state = 'firing' THEN c.since ELSE excluded.since END, state = 'firing', cleared_at = NULL`,
    [condition.kind, condition.subject, now, condition.detail],
  )
}

export async function clearCondition(
  client: pg.Pool | pg.PoolClient,
  kind: ConditionKind,
  subject: string,
  now: Date,
): Promise<void> {
  await client.query(
    `UPDATE condition SET state = 'cleared', cleared_at = $3, checked_at = $3
     WHERE kind = $1 AND subject = $2 AND state = 'firing'`,
    [kind, subject, now],
  )
}
