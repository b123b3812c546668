import type { Db } from '@/lib/db'

const SQL = `
  SELECT count(*)::int AS count, min(e.at) AS oldest_at
  FROM audit_unsealed u JOIN audit_entry e ON e.id = u.entry_id WHERE e.at <= $1`

/** Entries from before a moment that are not in the chain yet. */
export async function countUnsealed(
  db: Db,
  before: Date,
): Promise<{ count: number; oldestAt: string | null }> {
  const { rows } = await db.pool.query<{ count: number; oldest_at: Date | null }>(SQL, [before])
  return { count: rows[0]?.count ?? 0, oldestAt: rows[0]?.oldest_at?.toISOString() ?? null }
}
