import type pg from 'pg'
import { inTransaction } from '@/lib/db'
import { sqlStateOf } from '@/lib/postgres-errors'

/** serialization_failure, deadlock_detected: nothing happened, the same work may run again at once. */
const AGAIN: ReadonlySet<unknown> = new Set(['40001', '40P01'])
const ATTEMPTS_MAX = 3

/**
 * Batches are small, their keys come as values, and the tables are large: nested loops over indexes are right at every
 * size, and the planner is told so. In the round trip of BEGIN.
 */
const BEGIN_INDEXED = `BEGIN; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
  SET LOCAL enable_seqscan = off; SET LOCAL jit = off`

export async function inRetriedTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(pool, work, BEGIN_INDEXED)
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !AGAIN.has(sqlStateOf(error))) throw error
    }
  }
}
