import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import type { OtlpSpan } from '@/lib/telemetry/decode/span'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { Random } from './random'
import { span, store } from './spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const nowMs = clock.now().getTime()
const SPAN_MS = 10 * 60_000

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, clock)
})
afterEach(() => database.close())

type Delivery = {
  span: OtlpSpan
  atMs: number
  message: string
  tie: string
  told: boolean
  consumer: string
}

function deliver(
  random: Random,
  parts: { atMs: number; message: string; consumer: string; told?: boolean; extra?: object },
): Delivery {
  const { atMs, message, consumer, told = false } = parts
  const traceId = random.hex(16)
  const spanId = random.hex(8)
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'payments',
    'messaging.consumer.group.name': consumer,
    'messaging.message.id': message,
    ...(told ? { 'idempotency.delivery.attempt': 2 + random.below(3) } : {}),
    ...parts.extra,
  }
  const built = span({ traceId, spanId, at: new Date(atMs), durationMs: 5, kind: 5, attributes })
  return { span: built, atMs, message, tie: traceId + spanId, told, consumer }
}

/** From the definition: of each message of a consumer all but the first are redeliveries, and what is told to be one. */
function expectDeliveries(
  deliveries: readonly Delivery[],
  keep: { fromMs: number; toMs: number; consumer?: string },
) {
  const first = new Map<string, Delivery>()
  for (const each of deliveries) {
    const id = `${each.consumer} ${each.message}`
    const known = first.get(id)
    if (known === undefined || each.atMs < known.atMs || (each.atMs === known.atMs && each.tie < known.tie))
      first.set(id, each)
  }
  const firsts = new Set(first.values())
  const here = deliveries.filter(
    ({ atMs, consumer }) =>
      atMs >= keep.fromMs && atMs < keep.toMs && (keep.consumer === undefined || keep.consumer === consumer),
  )
  return [
    here.filter((each) => each.told || !firsts.has(each)).length,
    here.filter((each) => firsts.has(each)).length,
  ]
}

const readM8 = async (window: { from: Date; to: Date; client?: string }) => {
  const measures = await readMeasures(database.db, window, clock.now())
  return measures.find(({ id }) => id === 'M8')
}

describe('M8', () => {
  it.each([1, 2, 3])(
    'seed %i: equals its definition over resent, reordered, late deliveries',
    async (seed) => {
      const { db } = database
      const random = new Random(seed)
      const deliveries = Array.from({ length: 150 }, () =>
        deliver(random, {
          atMs: nowMs - SPAN_MS + random.below(SPAN_MS / 1000) * 1000,
          message: `m-${random.below(60)}`,
          consumer: random.pick(['ledger', 'mailer']),
          told: random.chance(0.1),
        }),
      )
      const sent = random.shuffle([...deliveries, ...deliveries.filter(() => random.chance(0.2))])
      while (sent.length > 0) {
        const batches = Array.from({ length: 3 }, () => sent.splice(0, 1 + random.below(20)))
        await Promise.all(
          batches.map((batch) =>
            store(
              db,
              clock,
              batch.map((each) => each.span),
            ),
          ),
        )
        if (random.chance(0.3)) await rollUpDirtyMinutes(db, clock, { limit: 1000 })
      }
      await rollUpDirtyMinutes(db, clock, { limit: 1000 })
      for (const keep of [
        { fromMs: nowMs - SPAN_MS, toMs: nowMs },
        { fromMs: nowMs - 300_000, toMs: nowMs },
        { fromMs: nowMs - SPAN_MS, toMs: nowMs, consumer: 'ledger' },
      ]) {
        const window = { from: new Date(keep.fromMs), to: new Date(keep.toMs) }
        const client = keep.consumer
        const measure = await readM8(client === undefined ? window : { ...window, client })
        const expected = expectDeliveries(deliveries, keep)
        expect([measure?.numerator, measure?.denominator]).toEqual(expected)
      }
      const { points } = await readRateSeries(db, {
        from: new Date(nowMs - SPAN_MS),
        to: new Date(nowMs),
        measure: 'M8',
      })
      const messages = points.reduce((sum, point) => sum + Number(point.denominator), 0)
      expect(messages).toBe(expectDeliveries(deliveries, { fromMs: nowMs - SPAN_MS, toMs: nowMs })[1])
    },
  )

  it('OpenTelemetry’s own attributes suffice; publishing, settling and other consumers count nothing', async () => {
    const { db } = database
    const random = new Random(9)
    const one = { atMs: nowMs - 120_000, message: 'm', consumer: 'ledger' }
    await store(db, clock, [
      deliver(random, one).span,
      deliver(random, { ...one, atMs: one.atMs + 1000 }).span,
      deliver(random, { ...one, consumer: 'mailer' }).span,
      deliver(random, { ...one, extra: { 'messaging.operation.type': 'publish' } }).span,
      deliver(random, { ...one, extra: { 'messaging.operation.type': 'settle' } }).span,
    ])
    await rollUpDirtyMinutes(db, clock, { limit: 10 })
    const measure = await readM8({ from: new Date(nowMs - SPAN_MS), to: new Date(nowMs) })
    expect(measure).toMatchObject({ numerator: 1, denominator: 2, value: 0.5, state: 'breach' })
    const elsewhere = await readM8({ from: new Date(nowMs - 2 * SPAN_MS), to: new Date(nowMs - SPAN_MS) })
    expect(elsewhere).toMatchObject({ value: null, state: 'not measured' })
  })
})
