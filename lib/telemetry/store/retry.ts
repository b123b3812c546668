import type pg from 'pg'
import { inTransaction } from '@/lib/db'

/** serialization_failure, deadlock_detected: nothing happened, the same work may run again at once. */
const AGAIN: ReadonlySet<unknown> = new Set(['40001', '40P01'])
const ATTEMPTS_MAX = 3

export function sqlStateOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

export async function inRetriedTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(pool, work)
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !AGAIN.has(sqlStateOf(error))) throw error
    }
  }
}
