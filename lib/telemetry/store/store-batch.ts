import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { AcceptedSpan } from '../interpret/interpret'
import { INSERT_SIGHTINGS } from '../sql/insert-sightings'
import { INSERT_SPANS } from '../sql/insert-spans'
import { STAGE_EFFECTS } from '../sql/stage-facts'
import { applyTouched } from './apply-staged'
import { copyIn } from './copy-in'
import { countIntake } from './count-intake'
import { collectKeys } from './key-facts'
import { lockKeys, resolveScopes } from './lock-keys'
import { queryPrepared } from './prepared'
import { inRetriedTransaction, sqlStateOf } from './retry'
import { type Rendered, render, STAGED_SPAN_COLUMNS, stagedSpanFields } from './rows'
import { openStage } from './stage-tables'
import { storeDeliveries } from './store-deliveries'
import { storeNew } from './store-new'

const UNIQUE_VIOLATION = '23505'

const insertedSchema = z.object({ spans: z.number().int() }).loose()

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
  try {
    await inRetriedTransaction(db.pool, (client) => storeNew(client, rows, receivedAt))
    return { inserted: rows.length }
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error
    return { inserted: await inRetriedTransaction(db.pool, (client) => storeAny(client, rows, receivedAt)) }
  }
}

/** Any span may be there already: staged, inserted where it is not. Returns how many were new. */
async function storeAny(client: pg.PoolClient, rows: readonly Rendered[], receivedAt: Date): Promise<number> {
  await openStage(client)
  await copyIn(client, `stage (${STAGED_SPAN_COLUMNS})`, rows.map(stagedSpanFields))
  await queryPrepared(client, STAGE_EFFECTS)
  await lockKeys(client, collectKeys(rows), 'touch all')
  const arrived = (await queryPrepared(client, INSERT_SPANS, [receivedAt])).rows
  await queryPrepared(client, INSERT_SIGHTINGS)
  await applyTouched(client, { effects: rows.some(({ effect }) => effect !== null) })
  await storeDeliveries(client, rows)
  await countIntake(client, arrived, receivedAt)
  const counted = z.array(insertedSchema).parse(arrived)
  return counted.reduce((sum, row) => sum + row.spans, 0)
}
