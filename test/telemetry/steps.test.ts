import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { SERVICES_MAX } from '@/lib/telemetry/ingest/count-intake'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readArrivals } from '@/lib/telemetry/read/arrivals'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { readLatencySeries } from '@/lib/telemetry/read/requests/latency-series'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { DIMENSION_VALUES_MAX } from '@/lib/telemetry/rollup/dimensions'
import { PERCENTILE_ERROR_MAX } from '@/lib/telemetry/rollup/histogram'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { expectMeasures, generateTraffic } from './model'
import { Random } from './random'
import { requestSpan, store } from './spans'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const clock = manualClock('2026-11-22T12:34:00Z')
const nowMs = clock.now().getTime()

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, clock)
})
afterEach(() => database.close())

const count = async (sql: string): Promise<number> => (await database.db.pool.query(sql)).rows[0].n

/** Nearest rank, as stores.md has it; null = nothing. */
const percentile = (sortedMs: readonly number[], quantile: number) =>
  sortedMs[Math.ceil(quantile * sortedMs.length) - 1] ?? null

/** Each point of the chart and each endpoint's P95, found a second way from the events. */
async function expectLatencies(
  known: ReturnType<typeof generateTraffic>,
  asked: { fromMs: number; toMs: number; client?: string },
): Promise<void> {
  const { fromMs, toMs, ...filter } = asked
  const window = { from: new Date(fromMs), to: new Date(toMs), ...filter }
  const { points, bucketSeconds } = await readLatencySeries(database.db, window)
  let counted = 0
  for (const { at, count, ...percentiles } of points) {
    const step = {
      fromMs: Math.max(at.getTime(), fromMs),
      toMs: Math.min(at.getTime() + bucketSeconds * 1000, toMs),
    }
    const { latenciesMs } = expectMeasures(known, { ...step, ...filter })
    expect(count).toBe(latenciesMs.length)
    counted += latenciesMs.length
    for (const [quantile, found] of [
      [0.5, percentiles.p50Ms],
      [0.95, percentiles.p95Ms],
      [0.99, percentiles.p99Ms],
    ] as const)
      expectWithinError(found, percentile(latenciesMs, quantile))
  }
  expect(counted).toBe(expectMeasures(known, asked).latenciesMs.length)
  const { rows } = await readEndpoints(database.db, { ...window, limit: 200 })
  for (const { endpoint, service, p95Ms } of rows) {
    const { latenciesMs } = expectMeasures(known, { ...asked, endpoint, service })
    expectWithinError(p95Ms, percentile(latenciesMs, 0.95))
  }
}

function expectWithinError(foundMs: number | null, exactMs: number | null): void {
  expect(foundMs === null).toBe(exactMs === null)
  if (foundMs === null || exactMs === null) return
  // Below a millisecond a bucket is narrower than the microsecond that a time is kept to.
  expect(Math.abs(foundMs - exactMs)).toBeLessThanOrEqual(Math.max(exactMs * PERCENTILE_ERROR_MAX, 0.001))
}

describe('hours and days', () => {
  it('any window has the figures of its events, whatever is summed already', async () => {
    const { db } = database
    const random = new Random(5)
    const events = generateTraffic(5, nowMs - 3 * DAY_MS, 3 * DAY_MS, 300)
    const sent = random.shuffle(events)
    const check = async (known: typeof events) => {
      const windows = [
        { fromMs: nowMs - 3 * DAY_MS - 60_000, toMs: nowMs + 60_000 },
        { fromMs: nowMs - 2 * DAY_MS - 13 * 60_000, toMs: nowMs - 7 * 60_000 },
        { fromMs: nowMs - 90 * 60_000, toMs: nowMs - 50 * 60_000 },
        { fromMs: nowMs - DAY_MS - 3 * 60_000, toMs: nowMs - 2 * 60_000 },
        { fromMs: nowMs - 8 * HOUR_MS - 60_000, toMs: nowMs },
        { fromMs: nowMs - 14 * 60_000, toMs: nowMs - 60_000 },
        { fromMs: nowMs - 34 * 60_000 - DAY_MS, toMs: nowMs - 34 * 60_000, client: 'web' },
      ]
      for (const { fromMs, toMs, ...filter } of windows) {
        const window = { from: new Date(fromMs), to: new Date(toMs), ...filter }
        const measures = await readMeasures(db, window, clock.now())
        const expected = expectMeasures(known, { fromMs, toMs, ...filter })
        const parts = (index: number) => [
          Number(measures[index]?.numerator ?? 0),
          Number(measures[index]?.denominator ?? 0),
        ]
        expect(parts(0)).toEqual(expected.m1)
        expect(parts(1)).toEqual(expected.m2)
        expect(measures[3]?.detail.count).toBe(expected.latenciesMs.length)
        await expectLatencies(known, { fromMs, toMs, ...filter })
      }
    }
    const half = sent.splice(0, 150)
    await store(
      db,
      clock,
      half.map(({ span }) => span),
    )
    await rollUpDirtyMinutes(db, clock, { limit: 10_000 })
    expect(await count('SELECT count(*)::int AS n FROM telemetry.day_request')).toBeGreaterThan(0)
    await check(half)
    // Late: hours and days that are summed change again.
    await store(
      db,
      clock,
      sent.map(({ span }) => span),
    )
    await rollUpDirtyMinutes(db, clock, { limit: 40 })
    await rollUpDirtyMinutes(db, clock, { limit: 10_000 })
    await check(events)
    expect(
      await count(
        "SELECT count(*)::int AS n FROM telemetry.dirty_day WHERE day < date_bin('1 day', now(), 'epoch') AND day < '2026-11-22Z'",
      ),
    ).toBe(0)
    const { buckets } = await readOutcomeSeries(
      db,
      { from: new Date(nowMs - 20 * DAY_MS), to: new Date(nowMs) },
      clock.now(),
    )
    const keyed = buckets.reduce(
      (sum, each) =>
        sum + each.executed + each.replayed + each.conflict + each.executedAgain + each.held + each.other,
      0,
    )
    expect(keyed).toBe(events.filter((event) => event.type === 'request').length)
  })
})

describe('arrival', () => {
  it('late and future spans land, are marked, and a gap is a gap', async () => {
    const { db } = database
    const send = (key: string, offsetMs: number) =>
      store(db, clock, [
        requestSpan({
          traceId: `${key}1`.repeat(16),
          spanId: `${key}2`.repeat(8),
          at: new Date(nowMs + offsetMs),
          key,
          outcome: 'executed',
        }),
      ])
    await send('a', -1000)
    await send('b', -40 * 60_000)
    await send('c', 20 * 60_000)
    const from = new Date(nowMs - HOUR_MS)
    const to = new Date(nowMs + HOUR_MS)
    const arrivals = await readArrivals(db, { from, to })
    expect(arrivals.map(({ spans, late, future }) => [spans, late, future])).toEqual([[3, 1, 1]])
    await rollUpDirtyMinutes(db, clock, { limit: 100 })
    const { buckets } = await readOutcomeSeries(db, { from, to }, clock.now())
    expect(buckets.filter(({ ingested }) => ingested)).toHaveLength(3)
    expect(buckets.reduce((sum, { executed }) => sum + executed, 0)).toBe(3)
  })
})

describe('dimensions', () => {
  it('values beyond the cap are counted as (other), and none is lost', async () => {
    const { db } = database
    const max = DIMENSION_VALUES_MAX.client
    const random = new Random(3)
    const spans = Array.from({ length: max + 50 }, (_, index) =>
      requestSpan({
        traceId: random.hex(16),
        spanId: random.hex(8),
        at: new Date(nowMs - 60_000),
        key: `k${index}`,
        scope: `client-${index}/POST /v1/payments`,
        outcome: 'executed',
      }),
    )
    await store(db, clock, spans)
    await rollUpDirtyMinutes(db, clock, { limit: 10 })
    await store(db, clock, [
      requestSpan({
        traceId: random.hex(16),
        spanId: random.hex(8),
        at: new Date(nowMs - 60_000),
        key: 'x',
        scope: 'client-1/POST /v1/payments',
        outcome: 'replayed',
      }),
    ])
    await rollUpDirtyMinutes(db, clock, { limit: 10 })
    expect(await count('SELECT count(DISTINCT client)::int AS n FROM telemetry.minute_request')).toBe(max + 1)
    expect(
      await count("SELECT sum(requests)::int AS n FROM telemetry.minute_request WHERE client = '(other)'"),
    ).toBe(50)
    const { total, rows } = await readEndpoints(db, {
      from: new Date(nowMs - HOUR_MS),
      to: clock.now(),
      limit: 5,
    })
    expect([total, rows[0]?.keyedRequests]).toEqual([1, max + 51])
  })

  it('services beyond the cap are (other): a sender of random names grows nothing without bound', async () => {
    const { db } = database
    const random = new Random(4)
    const send = (from: number, to: number) =>
      store(
        db,
        clock,
        Array.from({ length: to - from }, (_, index) =>
          requestSpan({
            traceId: random.hex(16),
            spanId: random.hex(8),
            at: new Date(nowMs - 60_000),
            key: `s${from + index}`,
            outcome: 'executed',
            service: `service-${from + index}`,
          }),
        ),
      )
    await send(0, SERVICES_MAX - 20)
    await send(SERVICES_MAX - 40, SERVICES_MAX + 30)
    const arrivals = await readArrivals(db, { from: new Date(nowMs - HOUR_MS), to: clock.now() })
    const of = (service: string) => arrivals.find((each) => each.service === service)?.spans
    expect(await count('SELECT count(*)::int AS n FROM telemetry.service')).toBe(SERVICES_MAX + 1)
    expect([of('(other)'), of(`service-${SERVICES_MAX - 30}`)]).toEqual([30, 2])
    expect(await count('SELECT sum(spans)::int AS n FROM telemetry.minute_intake')).toBe(SERVICES_MAX + 50)
  })
})
