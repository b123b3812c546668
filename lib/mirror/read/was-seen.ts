import type { Db } from '@/lib/db'

/** Whether the console ever staged this key of a store, whatever has become of it since. */
export async function wasSeen(
  db: Db,
  { sourceId, scope, key }: { sourceId: string; scope: string; key: string },
): Promise<boolean> {
  const { rows } = await db.pool.query<{ seen: boolean }>(
    `SELECT EXISTS (SELECT FROM mirror.object o WHERE o.source_id = $1 AND o.side = 'intent' AND o.scope = $2 AND o.key = $3)
       AS seen`,
    [sourceId, scope, key],
  )
  return rows[0]?.seen === true
}
