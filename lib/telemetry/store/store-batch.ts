import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { AcceptedSpan } from '../interpret/interpret'
import { COUNT_INTAKE, TOUCH_DEPLOYS, TOUCH_SERVICES } from '../sql/count-intake'
import { INSERT_SIGHTINGS } from '../sql/insert-sightings'
import { INSERT_SPANS } from '../sql/insert-spans'
import {
  RESOLVE_EFFECT_SCOPES,
  STAGE_EFFECT_KEYS,
  STAGE_EFFECTS,
  STAGE_SIGHTED_KEYS,
} from '../sql/stage-facts'
import { applyStaged } from './apply-staged'
import { inRetriedTransaction } from './retry'
import { copyLine } from './stage-row'
import { openStage } from './stage-tables'

/** Lines are handed to COPY in pieces of about this size. */
const COPY_CHARACTERS = 65_536

const insertedSchema = z.object({ spans: z.number().int() }).loose()

/**
 * Stores spans, and what follows from them, in one transaction; resolves after COMMIT with how many spans were
 * new. The same span twice is one. Day leaves must exist: see ensurePartitions.
 */
export async function storeBatch(
  db: Db,
  batch: readonly AcceptedSpan[],
  receivedAt: Date,
): Promise<{ inserted: number }> {
  if (batch.length === 0) return { inserted: 0 }
  return inRetriedTransaction(db.pool, async (client) => {
    await openStage(client)
    await pipeline(Readable.from(copyChunks(batch)), client.query(copyFrom('COPY stage FROM STDIN')))
    if (batch.some(({ effect }) => effect !== null && effect.scope === null))
      await client.query(RESOLVE_EFFECT_SCOPES)
    await client.query(STAGE_EFFECTS)
    await client.query(STAGE_SIGHTED_KEYS)
    await client.query(STAGE_EFFECT_KEYS)
    let arrived: unknown[] = []
    await applyStaged(client, async () => {
      arrived = (await client.query(INSERT_SPANS, [receivedAt])).rows
      await client.query(INSERT_SIGHTINGS)
    })
    await countIntake(client, arrived, receivedAt)
    return {
      inserted: z
        .array(insertedSchema)
        .parse(arrived)
        .reduce((sum, row) => sum + row.spans, 0),
    }
  })
}

async function countIntake(client: pg.PoolClient, arrived: unknown[], receivedAt: Date): Promise<void> {
  if (arrived.length === 0) return
  const parameters = [JSON.stringify(arrived), receivedAt]
  await client.query(COUNT_INTAKE, parameters)
  await client.query(TOUCH_SERVICES, parameters)
  await client.query(TOUCH_DEPLOYS, [parameters[0]])
}

function* copyChunks(batch: readonly AcceptedSpan[]): Generator<string> {
  let chunk = ''
  for (const each of batch) {
    chunk += copyLine(each)
    if (chunk.length >= COPY_CHARACTERS) {
      yield chunk
      chunk = ''
    }
  }
  if (chunk !== '') yield chunk
}
