import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import type { Measure, MeasureId } from '@/lib/telemetry/measures/measure'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { readLatencySeries } from '@/lib/telemetry/read/requests/latency-series'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { recordStoreSample } from '@/lib/telemetry/record-store-sample'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { wholeOrSample } from '../support/whole-or-sample'
import { type Expected, expectMeasures, generateTraffic } from './model'
import { Random } from './random'
import { store } from './spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const nowMs = clock.now().getTime()
const SPAN_MS = 15 * 60_000

const byId = (measures: readonly Measure[], id: MeasureId): Measure => {
  const found = measures.find((measure) => measure.id === id)
  if (found === undefined) throw new Error(`no ${id}`)
  return found
}

function compare(measures: readonly Measure[], expected: Expected): void {
  const parts = (id: MeasureId) => {
    const { numerator, denominator, state } = byId(measures, id)
    return state === 'not measured' ? [0, 0] : [numerator, denominator]
  }
  expect(parts('M1')).toEqual(expected.m1[1] === 0 ? [0, 0] : expected.m1)
  expect(parts('M2')).toEqual(expected.m2[1] === 0 ? [0, 0] : expected.m2)
  expect(parts('M3')).toEqual(expected.m3[1] === 0 ? [0, 0] : expected.m3)
  expect(parts('M5')).toEqual(expected.m5[1] === 0 ? [0, 0] : expected.m5)
  const { detail } = byId(measures, 'M1')
  expect([detail.keyedRequests, detail.requestsOfKeyedRoutes]).toEqual(expected.coverage)
  const latency = byId(measures, 'M4')
  const { latenciesMs } = expected
  if (latenciesMs.length === 0) {
    expect(latency.state).toBe('not measured')
    return
  }
  expect(latency.detail.count).toBe(latenciesMs.length)
  for (const [name, quantile] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const exact = latenciesMs[Math.ceil(quantile * latenciesMs.length) - 1] ?? 0
    const read = Number(latency.detail[name])
    expect(Math.abs(read - exact), `${name} ${read} for ${exact}`).toBeLessThanOrEqual(exact * 0.01 + 0.001)
  }
}

describe('M1–M5 equal their definitions over the raw events', () => {
  it.each(wholeOrSample([1, 2, 3, 4, 5, 6], [1, 2]))(
    'seed %i: resent, reordered, late, in batches at once',
    async (seed) => {
      const database = await createTestDatabase()
      try {
        const { db } = database
        await ensurePartitions(db, clock)
        const random = new Random(seed * 100)
        const events = generateTraffic(seed, nowMs - SPAN_MS, SPAN_MS, 240)
        const sent = random.shuffle([...events, ...events.filter(() => random.chance(0.2))])
        while (sent.length > 0) {
          const batches = Array.from({ length: 3 }, () =>
            sent.splice(0, 1 + random.below(30)).map((event) => event.span),
          )
          await Promise.all(batches.map((batch) => store(db, clock, batch)))
          // Roll-ups in between must not change the end.
          if (random.chance(0.3)) await rollUpDirtyMinutes(db, clock, { limit: 1000 })
        }
        await rollUpDirtyMinutes(db, clock, { limit: 1000 })
        const windows = [
          { fromMs: nowMs - SPAN_MS, toMs: nowMs + 60_000 },
          { fromMs: nowMs - 600_000, toMs: nowMs - 300_000 },
          { fromMs: nowMs - SPAN_MS, toMs: nowMs, service: 'payments' },
          { fromMs: nowMs - SPAN_MS, toMs: nowMs, endpoint: 'POST /v1/payments' },
          { fromMs: nowMs - SPAN_MS, toMs: nowMs, service: 'refunds', endpoint: 'POST /v1/refunds' },
        ]
        for (const { fromMs, toMs, ...filter } of windows) {
          const window = { from: new Date(fromMs), to: new Date(toMs), ...filter }
          const measures = await readMeasures(db, window, clock.now())
          compare(measures, expectMeasures(events, { fromMs, toMs, ...filter }))
        }
      } finally {
        await database.close()
      }
    },
  )
})

describe('series and states', () => {
  let database: TestDatabase
  const events = generateTraffic(42, nowMs - SPAN_MS, SPAN_MS, 200)
  const window = { from: new Date(nowMs - SPAN_MS), to: new Date(nowMs) }
  beforeAll(async () => {
    database = await createTestDatabase()
    await ensurePartitions(database.db, clock)
    await store(
      database.db,
      clock,
      events.map((event) => event.span),
    )
    await rollUpDirtyMinutes(database.db, clock, { limit: 1000 })
  })
  afterAll(() => database.close())

  it('without input everything is not measured, never 0', async () => {
    const empty = { from: new Date(nowMs - 7_200_000), to: new Date(nowMs - 3_600_000) }
    const measures = await readMeasures(database.db, empty, clock.now())
    expect(measures.map((measure) => measure.id).join()).toBe('M1,M2,M3,M4,M5,M6,M7,M8,M9,M10')
    for (const measure of measures) {
      if (measure.id === 'M6') continue
      expect(measure, measure.id).toMatchObject({ value: null, state: 'not measured' })
      expect(measure.reason).toBeTruthy()
    }
  })

  it('inputs of others make M7 and M10 measured', async () => {
    const inputs = {
      corrections: { executed: 3, byClass: { duplicate_same_key: 3 } },
      pages: 0,
      openKeysOlderThanTarget: 4,
    }
    const measures = await readMeasures(database.db, window, clock.now(), inputs)
    expect(byId(measures, 'M7')).toMatchObject({
      numerator: 3,
      state: 'ok',
      detail: { byClass: { duplicate_same_key: 3 } },
    })
    expect(byId(measures, 'M10')).toMatchObject({ value: 0, state: 'ok' })
    expect(byId(measures, 'M4').detail.openOlderThanTarget).toBe(4)
  })

  it('M5 is not measured when keyed requests are not kept long enough', async () => {
    const measures = await readMeasures(database.db, window, clock.now(), {
      keyedRequestRetentionMs: 3_600_000,
    })
    expect(byId(measures, 'M5')).toMatchObject({
      value: null,
      state: 'not measured',
      detail: { horizonMs: 3_600_000 },
    })
  })

  it('M9 needs two samples, and grows by tier', async () => {
    const { db } = database
    const sample = {
      sourceId: 'src_a',
      tier: 'default',
      oldestAt: null,
      oldestExpiredAt: null,
      expiredRows: 5n,
    }
    await recordStoreSample(db, { ...sample, at: new Date(nowMs - 600_000), rows: 100n, bytes: 1000n })
    const one = await readMeasures(db, window, clock.now())
    expect(byId(one, 'M9')).toMatchObject({ state: 'not measured', value: null })
    await recordStoreSample(db, { ...sample, at: new Date(nowMs - 60_000), rows: 190n, bytes: 1900n })
    const two = await readMeasures(db, window, clock.now())
    expect(byId(two, 'M9').value).toBeCloseTo((90 * 86_400_000) / 540_000, 6)
    expect(byId(two, 'M9').detail).toMatchObject({
      expiredBacklog: 5,
      tiers: [{ source: 'src_a', tier: 'default', rows: 190 }],
    })
  })

  it('buckets: every keyed request is in one column; a gap is a gap; the running minute is incomplete', async () => {
    const wide = { from: new Date(nowMs - SPAN_MS - 300_000), to: new Date(nowMs + 60_000) }
    const series = await readOutcomeSeries(database.db, wide, clock.now())
    expect(series.bucketSeconds).toBe(60)
    expect(series.buckets).toHaveLength(21)
    const total = series.buckets.reduce(
      (sum, each) =>
        sum + each.executed + each.replayed + each.conflict + each.executedAgain + each.held + each.other,
      0,
    )
    const keyed = events.filter((event) => event.type === 'request')
    expect(total).toBe(keyed.length)
    expect(series.buckets[0]).toMatchObject({ ingested: false, executed: 0 })
    expect(series.buckets.at(-1)?.complete).toBe(false)
    expect(series.buckets[5]).toMatchObject({ ingested: true, complete: true })
  })

  it('a month is at most 300 buckets', async () => {
    const month = { from: new Date(nowMs - 30 * 86_400_000), to: new Date(nowMs) }
    expect((await readOutcomeSeries(database.db, month, clock.now())).buckets.length).toBeLessThanOrEqual(300)
  })

  it('rates and endpoints add up to the measures', async () => {
    const { db } = database
    const measures = await readMeasures(db, window, clock.now())
    for (const measure of ['M1', 'M2', 'M3', 'M5'] as const) {
      const { points } = await readRateSeries(db, { ...window, measure })
      const sum = (pick: 'numerator' | 'denominator') =>
        points.reduce((total, point) => total + Number(point[pick]), 0)
      expect([sum('numerator'), sum('denominator')]).toEqual([
        byId(measures, measure).numerator,
        byId(measures, measure).denominator,
      ])
    }
    const { total, rows } = await readEndpoints(db, { ...window, limit: 3 })
    expect(total).toBe(4)
    expect(rows).toHaveLength(3)
    const all = await readEndpoints(db, { ...window, limit: 50 })
    expect(all.rows.reduce((sum, row) => sum + row.duplicates, 0)).toBe(byId(measures, 'M1').numerator)
    const { points } = await readLatencySeries(db, window)
    expect(points.reduce((sum, point) => sum + Number(point.count), 0)).toBe(
      byId(measures, 'M4').detail.count,
    )
  })
})
