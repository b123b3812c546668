import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { LockFilter } from '@/lib/core/lock-filter'
import type { Db } from '@/lib/db'

/**
 * A store with more live locks than a check reads. The oldest of them are listed; the others are in no list, no count and
 * no action, so that whatever is said of its locks is a lower bound.
 */
export type Unlisted = { source: string; name: string; listed: number; checkedAt: string }

const SQL = `
  SELECT c.source_id AS source, s.name, c.listed, c.checked_at FROM lock_check c JOIN source s ON s.id = c.source_id
  WHERE c.more AND s.enabled AND ($1::text IS NULL OR c.source_id = $1)
  ORDER BY s.name, c.source_id`

const rowSchema = z.object({ source: z.string(), name: z.string(), listed: z.number(), checked_at: z.date() })

/** Such stores among those that a filter can match; none where it names its locks one by one. */
export async function readUnlisted(db: Db, filter: LockFilter = {}): Promise<Unlisted[]> {
  if (filter.ids !== undefined || filter.key !== undefined) return []
  const { rows } = await db.pool.query(SQL, [filter.source ?? null])
  return rows
    .map((row) => rowSchema.parse(row))
    .map(({ checked_at, ...row }) => ({ ...row, checkedAt: checked_at.toISOString() }))
}

const NOTE = `
  INSERT INTO lock_check AS c (source_id, checked_at, listed, more) VALUES ($1, $2, $3, $4)
  ON CONFLICT (source_id) DO UPDATE
    SET checked_at = excluded.checked_at, listed = excluded.listed, more = excluded.more
  WHERE c.checked_at <= excluded.checked_at`

/** What a check has read of a store. */
export async function noteCheck(
  ctx: Pick<SystemContext, 'db'>,
  sourceId: string,
  { checkedAt, listed, more }: { checkedAt: Date; listed: number; more: boolean },
): Promise<void> {
  await ctx.db.pool.query(NOTE, [sourceId, checkedAt, listed, more])
}
