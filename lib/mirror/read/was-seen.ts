import type { Db } from '@/lib/db'

/** What the console ever staged of a key of a store: its end, or that it was begun; null = nothing. */
export async function readSeenBefore(
  db: Db,
  { sourceId, scope, key }: { sourceId: string; scope: string; key: string },
): Promise<'finished' | 'begun' | null> {
  const { rows } = await db.pool.query<{ finished: boolean | null }>(
    `SELECT bool_or(o.status IN ('completed', 'failed_final')) AS finished FROM mirror.object o
     WHERE o.source_id = $1 AND o.side = 'intent' AND o.scope = $2 AND o.key = $3`,
    [sourceId, scope, key],
  )
  const finished = rows[0]?.finished ?? null
  if (finished === null) return null
  return finished ? 'finished' : 'begun'
}
