import type pg from 'pg'
import { z } from 'zod'
import { minuteOf } from '../micros'
import { countIntake } from './count-intake'
import { INSERT_KEYED_REQUESTS, INSERT_SPANS, OPEN_STAGE } from './insert-spans'
import { applyKeys, minutesOf } from './keys/apply-keys'
import type { ObservedEffect } from './keys/key-facts'
import {
  collectKeys,
  EFFECT_COLUMNS,
  isFinal,
  observedEffect,
  writeFlaggedKeyedRequest,
  writePlainEffect,
} from './keys/key-facts'
import { lockKeys } from './keys/lock-keys'
import type { RenderedSpans } from './render-spans'
import { copyIn } from './rows/copy-in'
import type { FactRow } from './rows/fact-row'
import { queryPrepared } from './rows/prepared'
import { RowWriter } from './rows/row-writer'
import { KEYED_REQUEST_COLUMNS, SPAN_COLUMNS } from './rows/rows'
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
  const { arrived, minutes, observed } =
    how === 'all new' ? await copyNew(client, batch) : await insertAny(client, batch, receivedAt)
  for (const minute of await applyKeys(client, keys, observed)) minutes.add(minute)
  await storeDeliveries(client, rows)
  await countIntake(client, arrived, minutes, receivedAt)
  return arrived.reduce((sum, { spans }) => sum + spans, 0)
}

const arrivedSchema = z.array(z.object({ spans: z.number().int() }).loose())
type Inserted = {
  arrived: readonly { spans: number }[]
  /** that changed, in ms since 1970 */
  minutes: Set<number>
  /** effects that have to be merged with what is stored */
  observed: readonly ObservedEffect[]
}

const KEYED_REQUEST_BYTES_GUESSED = 512
const EFFECT_BYTES_GUESSED = 256

async function copyNew(client: pg.PoolClient, { spans, rows, arrived }: RenderedSpans): Promise<Inserted> {
  const effects = new RowWriter(rows.length * EFFECT_BYTES_GUESSED)
  const minutes = new Set<number>()
  const observed: ObservedEffect[] = []
  for (const row of rows) {
    const { request, effect, start, end } = row
    if (request !== null) minutes.add(minuteOf(start))
    if (request !== null && isFinal(request)) minutes.add(minuteOf(end))
    if (effect === null) continue
    if (writePlainEffect(effects, row)) minutes.add(minuteOf(start))
    else observed.push(observedEffect(row, effect))
  }
  await copyIn(client, [
    { target: `telemetry.span (${SPAN_COLUMNS})`, pieces: spans },
    { target: `telemetry.keyed_request (${KEYED_REQUEST_COLUMNS})`, pieces: keyedRequests(rows) },
    { target: `telemetry.effect (${EFFECT_COLUMNS})`, pieces: effects.take() },
  ])
  return { arrived, minutes, observed }
}

async function insertAny(
  client: pg.PoolClient,
  { spans, rows }: RenderedSpans,
  receivedAt: Date,
): Promise<Inserted> {
  await client.query(OPEN_STAGE)
  await copyIn(client, [
    { target: `span_stage (${SPAN_COLUMNS})`, pieces: spans },
    { target: `keyed_request_stage (${KEYED_REQUEST_COLUMNS})`, pieces: keyedRequests(rows) },
  ])
  const arrived = arrivedSchema.parse((await queryPrepared(client, INSERT_SPANS, [receivedAt])).rows)
  const minutes = minutesOf(await queryPrepared(client, INSERT_KEYED_REQUESTS))
  const observed = rows.flatMap((row) => (row.effect === null ? [] : [observedEffect(row, row.effect)]))
  return { arrived, minutes: new Set(minutes), observed }
}

function keyedRequests(rows: readonly FactRow[]): Buffer[] {
  const writer = new RowWriter(rows.length * KEYED_REQUEST_BYTES_GUESSED)
  for (const row of rows) if (row.request !== null) writeFlaggedKeyedRequest(writer, row, row.request)
  return writer.take()
}
