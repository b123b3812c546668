import type pg from 'pg'
import { z } from 'zod'
import { minuteOf } from '../micros'
import { INSERT_SIGHTINGS } from '../sql/insert-sightings'
import { INSERT_SPANS, OPEN_STAGE } from '../sql/insert-spans'
import { applyKeys, minutesOf, type WitnessedEffect } from './apply-keys'
import { copyIn } from './copy-in'
import { countIntake } from './count-intake'
import {
  collectKeys,
  EFFECT_COLUMNS,
  isFinal,
  witnessedEffect,
  writeFlaggedSighting,
  writePlainEffect,
} from './key-facts'
import { lockKeys } from './lock-keys'
import { queryPrepared } from './prepared'
import type { RenderedSpans } from './render-spans'
import { RowWriter } from './row-writer'
import { type FactRow, SIGHTING_COLUMNS, SPAN_COLUMNS } from './rows'
import { storeDeliveries } from './store-deliveries'

/**
 * One transaction's work. `all new`: no span of the batch is stored, so all is copied straight into the tables, and
 * fails with unique_violation when one is. `any`: staged, and inserted where it is not there yet. Flags of what is
 * inserted come from the locked keys; what their history changes is put right afterwards. Resolves to how many spans
 * were new.
 */
export async function storeRows(
  client: pg.PoolClient,
  batch: RenderedSpans,
  receivedAt: Date,
  how: 'all new' | 'any',
): Promise<number> {
  const { rows } = batch
  const keys = collectKeys(rows)
  await lockKeys(client, keys)
  const inserted =
    how === 'all new' ? await copyNew(client, batch) : await insertAny(client, batch, receivedAt)

  const plain = new RowWriter(rows.length * EFFECT_BYTES_GUESSED)
  const witnessed: WitnessedEffect[] = []
  for (const row of rows) {
    if (how === 'all new' && writePlainEffect(plain, row)) inserted.minutes.add(minuteOf(row.start))
    else if (row.effect !== null) witnessed.push(witnessedEffect(row, row.effect))
  }
  await copyIn(client, `telemetry.effect (${EFFECT_COLUMNS})`, plain.take())
  for (const minute of await applyKeys(client, keys, witnessed)) inserted.minutes.add(minute)
  await storeDeliveries(client, rows)
  await countIntake(client, inserted.arrived, inserted.minutes, receivedAt)
  return inserted.arrived.reduce((sum, { spans }) => sum + spans, 0)
}

const EFFECT_BYTES_GUESSED = 256
const SIGHTING_BYTES_GUESSED = 512

const arrivedSchema = z.array(z.object({ spans: z.number().int() }).loose())
type Inserted = { arrived: readonly { spans: number }[]; minutes: Set<number> }

async function copyNew(client: pg.PoolClient, { spans, rows, arrived }: RenderedSpans): Promise<Inserted> {
  await copyIn(client, `telemetry.span (${SPAN_COLUMNS})`, spans)
  await copyIn(client, `telemetry.sighting (${SIGHTING_COLUMNS})`, sightings(rows))
  const minutes = new Set<number>()
  for (const { request, start, end } of rows) {
    if (request === null) continue
    minutes.add(minuteOf(start))
    if (isFinal(request)) minutes.add(minuteOf(end))
  }
  return { arrived, minutes }
}

async function insertAny(
  client: pg.PoolClient,
  { spans, rows }: RenderedSpans,
  receivedAt: Date,
): Promise<Inserted> {
  await client.query(OPEN_STAGE)
  await copyIn(client, `span_stage (${SPAN_COLUMNS})`, spans)
  await copyIn(client, `sighting_stage (${SIGHTING_COLUMNS})`, sightings(rows))
  const arrived = arrivedSchema.parse((await queryPrepared(client, INSERT_SPANS, [receivedAt])).rows)
  const minutes = minutesOf(await queryPrepared(client, INSERT_SIGHTINGS))
  return { arrived, minutes: new Set(minutes) }
}

function* sightings(rows: readonly FactRow[]): Generator<Buffer> {
  const writer = new RowWriter(rows.length * SIGHTING_BYTES_GUESSED)
  for (const row of rows) {
    if (row.request === null) continue
    writeFlaggedSighting(writer, row, row.request)
    if (writer.isFull) yield* writer.take()
  }
  yield* writer.take()
}
