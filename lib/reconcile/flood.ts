import type pg from 'pg'

/** A broken source or mapping is one incident, not thousands. */
export async function raiseFlood(
  client: pg.PoolClient,
  run: { id: string; system: string; floodCap: number },
  wouldOpen: number,
  now: Date,
): Promise<void> {
  await client.query(
    `INSERT INTO condition AS c (id, kind, subject, state, since, detail, checked_at, cleared_at)
     VALUES ('con_' || md5('case_flood|' || $1), 'case_flood', $1, 'firing', $2,
       jsonb_build_object('wouldOpen', $3::int, 'cap', $4::int, 'runId', $5::text), $2, NULL)
     ON CONFLICT (kind, subject) DO UPDATE SET detail = excluded.detail, checked_at = excluded.checked_at,
       since = CASE WHEN c.state = 'firing' THEN c.since ELSE excluded.since END, state = 'firing', cleared_at = NULL`,
    [run.system, now, wouldOpen, run.floodCap, run.id],
  )
}

export async function clearFlood(client: pg.PoolClient, system: string, now: Date): Promise<void> {
  await client.query(
    `UPDATE condition SET state = 'cleared', cleared_at = $2, checked_at = $2
     WHERE kind = 'case_flood' AND subject = $1 AND state = 'firing'`,
    [system, now],
  )
}
