import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import type { Db } from '@/lib/db'
import { resolveScopes } from './keys/lock-keys'
import type { RenderedSpans } from './render-spans'
import { inRetriedTransaction } from './retried-transaction'
import { storeRows } from './store-rows'

/**
 * Stores spans, and what follows from them, in one transaction; resolves after COMMIT with how many spans were
 * new. The same span twice is one. Day partitions must exist: see ensurePartitions.
 *
 * Most batches bring only new spans, so it is first tried without looking: COPY straight into the tables. A span
 * that is there already fails that whole transaction, and the batch is staged and inserted one by one.
 */
export async function storeBatch(
  db: Db,
  requests: readonly RenderedSpans[],
  receivedAt: Date,
): Promise<{ inserted: number }> {
  const batch = {
    spans: requests.flatMap(({ spans }) => spans),
    rows: requests.flatMap(({ rows }) => rows),
    arrived: requests.flatMap(({ arrived }) => arrived),
  }
  if (batch.spans.length === 0) return { inserted: 0 }
  await resolveScopes(db, batch.rows)
  const store = (how: 'all new' | 'any') =>
    inRetriedTransaction(db.pool, (client) => storeRows(client, batch, receivedAt, how))
  try {
    return { inserted: await store('all new') }
  } catch (error) {
    if (sqlStateOf(error) !== SQLSTATE.uniqueViolation) throw error
    return { inserted: await store('any') }
  }
}
