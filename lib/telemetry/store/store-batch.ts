import type { Db } from '@/lib/db'
import type { AcceptedSpan } from '../interpret/interpret'
import { resolveScopes } from './lock-keys'
import { inRetriedTransaction, sqlStateOf } from './retry'
import { render } from './rows'
import { storeRows } from './store-rows'

const UNIQUE_VIOLATION = '23505'

/**
 * Stores spans, and what follows from them, in one transaction; resolves after COMMIT with how many spans were
 * new. The same span twice is one. Day leaves must exist: see ensurePartitions.
 *
 * Most batches bring only new spans, so it is first tried without looking: COPY straight into the tables. A span
 * that is there already fails that whole transaction, and the batch is staged and inserted one by one.
 */
export async function storeBatch(
  db: Db,
  batch: readonly AcceptedSpan[],
  receivedAt: Date,
): Promise<{ inserted: number }> {
  if (batch.length === 0) return { inserted: 0 }
  const rows = (await resolveScopes(db, batch)).map(render)
  const store = (how: 'all new' | 'any') =>
    inRetriedTransaction(db.pool, (client) => storeRows(client, rows, receivedAt, how))
  try {
    return { inserted: await store('all new') }
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error
    return { inserted: await store('any') }
  }
}
