import type pg from 'pg'
import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import { inTransaction } from '@/lib/db'

/** Nothing happened: the same work may run again at once. */
const RETRYABLE: ReadonlySet<unknown> = new Set([SQLSTATE.serializationFailure, SQLSTATE.deadlockDetected])
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
      if (attempt >= ATTEMPTS_MAX || !RETRYABLE.has(sqlStateOf(error))) throw error
    }
  }
}
