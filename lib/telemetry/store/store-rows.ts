import type pg from 'pg'
import { z } from 'zod'
import { FUTURE_AFTER_MS, LATE_AFTER_MS } from '../retention'
import { INSERT_SIGHTINGS } from '../sql/insert-sightings'
import { INSERT_SPANS, OPEN_STAGE } from '../sql/insert-spans'
import { applyKeys, minutesOf, type WitnessedEffect } from './apply-keys'
import { copyIn } from './copy-in'
import { timestamp } from './copy-text'
import { countIntake } from './count-intake'
import { collectKeys, EFFECT_COLUMNS, isFinal, plainEffect, sightingLine, witnessedEffect } from './key-facts'
import { lockKeys } from './lock-keys'
import { queryPrepared } from './prepared'
import { type Rendered, resourceNames, SIGHTING_COLUMNS, SPAN_COLUMNS, spanFields } from './rows'
import { storeDeliveries } from './store-deliveries'

/**
 * One transaction's work. `all new`: no span of the batch is stored, so all is copied straight into the tables, and
 * fails with unique_violation when one is. `any`: staged, and inserted where it is not there yet. Flags of what is
 * inserted come from the locked keys; what their history changes is put right afterwards. Resolves to how many spans
 * were new.
 */
export async function storeRows(
  client: pg.PoolClient,
  rows: readonly Rendered[],
  receivedAt: Date,
  how: 'all new' | 'any',
): Promise<number> {
  const keys = collectKeys(rows)
  await lockKeys(client, keys)
  const lines = { spans: spanLines(rows, receivedAt.toISOString()), sightings: sightingLines(rows) }
  const inserted =
    how === 'all new'
      ? await copyNew(client, lines, rows, receivedAt)
      : await insertAny(client, lines, receivedAt)

  const effects: string[] = []
  const witnessed: WitnessedEffect[] = []
  for (const row of rows) {
    const plain = how === 'all new' ? plainEffect(row) : null
    if (plain !== null) {
      effects.push(plain)
      inserted.minutes.add(minuteOf(row.start))
    } else if (row.effect !== null) witnessed.push(witnessedEffect(row, row.effect))
  }
  await copyIn(client, `telemetry.effect (${EFFECT_COLUMNS})`, effects)
  for (const minute of await applyKeys(client, keys, witnessed)) inserted.minutes.add(minute)
  await storeDeliveries(client, rows)
  await countIntake(client, inserted.arrived, inserted.minutes, receivedAt)
  return inserted.arrived.reduce((sum, { spans }) => sum + spans, 0)
}

const arrivedSchema = z.array(z.object({ spans: z.number().int() }).loose())
type Inserted = { arrived: z.infer<typeof arrivedSchema>; minutes: Set<string> }
type Lines = { spans: Iterable<string>; sightings: Iterable<string> }

const SPANS = `(${SPAN_COLUMNS}, received_at)`
const SIGHTINGS = `(${SIGHTING_COLUMNS})`

async function copyNew(
  client: pg.PoolClient,
  { spans, sightings }: Lines,
  rows: readonly Rendered[],
  receivedAt: Date,
): Promise<Inserted> {
  await copyIn(client, `telemetry.span ${SPANS}`, spans)
  await copyIn(client, `telemetry.sighting ${SIGHTINGS}`, sightings)
  const minutes = new Set<string>()
  for (const { request, start, end } of rows) {
    if (request === null) continue
    minutes.add(minuteOf(start))
    if (isFinal(request)) minutes.add(minuteOf(end))
  }
  return { arrived: countArrived(rows, receivedAt), minutes }
}

async function insertAny(
  client: pg.PoolClient,
  { spans, sightings }: Lines,
  receivedAt: Date,
): Promise<Inserted> {
  await client.query(OPEN_STAGE)
  await copyIn(client, `span_stage ${SPANS}`, spans)
  await copyIn(client, `sighting_stage ${SIGHTINGS}`, sightings)
  const arrived = arrivedSchema.parse((await queryPrepared(client, INSERT_SPANS, [receivedAt])).rows)
  const minutes = minutesOf(await queryPrepared(client, INSERT_SIGHTINGS))
  return { arrived, minutes: new Set(minutes) }
}

/** Made as they are sent: they are the most of what a batch takes. */
function* spanLines(rows: readonly Rendered[], received: string): Generator<string> {
  for (const row of rows) yield `${spanFields(row)}\t${received}`
}

function* sightingLines(rows: readonly Rendered[]): Generator<string> {
  for (const row of rows) if (row.request !== null) yield sightingLine(row, row.request)
}

/** As minutesOf gives them. */
const minuteOf = (time: string) => `${time.slice(0, 16)}:00.000Z`

/** As INSERT_SPANS would count them. */
function countArrived(rows: readonly Rendered[], receivedAt: Date) {
  const text = (ms: number) => timestamp(BigInt(receivedAt.getTime() + ms) * 1_000_000n)
  const lateBefore = text(-LATE_AFTER_MS)
  const futureAfter = text(FUTURE_AFTER_MS)
  type Arrived = {
    minute: string
    service: string
    version: string
    environment: string
    spans: number
    late: number
    future: number
    first_at: string
    last_at: string
  }
  const counted = new Map<string, Arrived>()
  for (const { start, resource, span } of rows) {
    const minute = minuteOf(start)
    const id = `${minute}\t${resource}`
    let known = counted.get(id)
    if (known === undefined) {
      const { service, version, environment } = resourceNames(span.resource)
      known = {
        minute,
        service,
        version,
        environment,
        spans: 0,
        late: 0,
        future: 0,
        first_at: start,
        last_at: start,
      }
      counted.set(id, known)
    }
    known.spans += 1
    if (start < lateBefore) known.late += 1
    if (start > futureAfter) known.future += 1
    if (start < known.first_at) known.first_at = start
    if (start > known.last_at) known.last_at = start
  }
  return [...counted.values()]
}
