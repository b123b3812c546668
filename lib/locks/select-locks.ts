import type { LockFilter } from '@/lib/core/lock-filter'
import type { Db } from '@/lib/db'
import { listLocks } from './list-locks'
import { readUnlisted } from './unlisted'

/** By name, what a filter matches now: the oldest first, at most `max`. What is found later is not among them. */
export async function selectMatchingLocks(
  db: Db,
  filter: LockFilter,
  max: number,
  now: Date,
): Promise<{ ids: string[]; more: boolean }> {
  const { items, next } = await listLocks(db, filter, { limit: max }, now)
  const unlisted = await readUnlisted(db, filter)
  return { ids: items.map(({ id }) => id), more: next !== null || unlisted.length > 0 }
}
