import type { Db } from '@/lib/db'
import { type LockView, listLocks } from './list-locks'

/** One lock, also one that has ended since; null = there is none of this id. */
export async function findLock(db: Db, id: string, now: Date): Promise<LockView | null> {
  const { items } = await listLocks(db, { ids: [id], goneToo: true }, { limit: 1 }, now)
  return items[0] ?? null
}
