import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import { compareTtls, countBeyond } from '@/lib/insight/cost/compare-ttls'
import { bytesPerRowOf, readDuplicatesAvoided, readStorageCost } from '@/lib/insight/cost/read-cost'
import { costText, monthlyCost, readPrices, setPrice, sumCosts } from '@/lib/retention/price'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { recordStoreSample } from '@/lib/telemetry/record-store-sample'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { peopleOf } from '../access/people'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { wholeOrSample } from '../support/whole-or-sample'
import { type Event, generateTraffic } from '../telemetry/model'
import { store } from '../telemetry/spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const nowMs = clock.now().getTime()
const SPAN_MS = 15 * 60_000
const MINUTE_MS = 60_000
const LEFT_OUT = ['bypassed', 'store_error', 'held', 'mismatch']

/** All requests in order of time, against one store whose records live for the TTL. */
function replay(events: readonly Event[], ttlMs: number) {
  const records = new Map<string, { madeAt: number; firstAt: number; executions: number }>()
  const counted = { retries: 0, executions: 0, keys: 0 }
  for (const event of events.toSorted((a, b) => a.atMs - b.atMs)) {
    if (event.type !== 'request' || LEFT_OUT.includes(event.outcome)) continue
    const { scopedKey, atMs } = event
    const known = records.get(scopedKey)
    if (known === undefined) {
      records.set(scopedKey, { madeAt: atMs, firstAt: atMs, executions: 1 })
      continue
    }
    if (atMs >= known.firstAt + ttlMs) counted.retries += 1
    if (atMs < known.madeAt + ttlMs) continue
    known.madeAt = atMs
    known.executions += 1
    counted.executions += 1
    if (known.executions === 2) counted.keys += 1
  }
  return { beyond: counted, keys: records.size }
}

describe('two TTLs equal a replay of all requests against a store', () => {
  it.each(wholeOrSample([1, 2, 3, 4, 5, 6], [1, 2]))('seed %i', async (seed) => {
    const database = await createTestDatabase()
    try {
      const { db } = database
      await ensurePartitions(db, clock)
      const events = generateTraffic(seed, nowMs - SPAN_MS, SPAN_MS, 240)
      await store(
        db,
        clock,
        events.map((event) => event.span),
      )
      for (const endpoint of [undefined, 'POST /v1/refunds']) {
        const own = events.filter((event) => endpoint === undefined || event.endpoint === endpoint)
        for (const [ttlAMs, ttlBMs] of [
          [30_000, 5 * MINUTE_MS],
          [10 * MINUTE_MS, MINUTE_MS],
        ] as const) {
          const found = await compareTtls(db, { ...window(), endpoint, ttlAMs, ttlBMs, ...store100 })
          const [a, b] = [replay(own, ttlAMs), replay(own, ttlBMs)]
          expect(found).toMatchObject({ keys: a.keys, atLeast: false })
          expect(found.a.beyond).toEqual(a.beyond)
          expect(found.b.beyond).toEqual(b.beyond)
          const times = own.filter(({ type }) => type === 'request').filter(isCounted)
          const observedMs = Math.max(...times.map(atOf)) - Math.min(...times.map(atOf))
          const held = (ttlMs: number, executions: number) =>
            Math.round(((a.keys + executions) * ttlMs) / observedMs)
          expect(found.a.rowsHeld).toBe(held(ttlAMs, a.beyond.executions))
          expect(found.b.rowsHeld).toBe(held(ttlBMs, b.beyond.executions))
          expect(found.b.bytesHeld).toBe((found.b.rowsHeld ?? 0) * 100)
        }
      }
    } finally {
      await database.close()
    }
  })
})

const isCounted = (event: Event): boolean => event.type === 'request' && !LEFT_OUT.includes(event.outcome)
const atOf = ({ atMs }: Event): number => atMs
const window = () => ({ from: new Date(nowMs - SPAN_MS), to: new Date(nowMs) })
const store100 = { bytesPerRow: 100, price: { amount: '0.115', currency: 'USD' } }

test('a record lives from the request that made it; a retry at its very end finds none', () => {
  expect(countBeyond([[0, 9, 10, 19, 20]], 10)).toEqual({ retries: 3, executions: 2, keys: 1 })
  expect(countBeyond([[0, 9, 18, 27]], 10)).toEqual({ retries: 2, executions: 1, keys: 1 })
  expect(countBeyond([[0, 5], []], 10)).toEqual({ retries: 0, executions: 0, keys: 0 })
})

describe('on one database', () => {
  let database: TestDatabase
  let db: Db
  let admin: Context
  let viewer: Context
  const source = 'src_a'
  const reason = 'as the invoice of the cloud says'
  beforeAll(async () => {
    database = await createTestDatabase()
    ;({ db } = database)
    const people = peopleOf(db, clock)
    admin = await people.fromHost('admin', 'admin')
    viewer = await people.fromHost('viewer', 'viewer')
    await db.prisma.source.create({
      data: {
        id: source,
        kind: 'intent',
        adapter: 'native',
        name: 'a',
        system: 'a',
        config: {},
        createdAt: clock.now(),
      },
    })
    await ensurePartitions(db, clock)
  })
  afterAll(() => database.close())

  it('without requests nothing is measured, and without a price there are bytes only', async () => {
    const found = await compareTtls(db, {
      ...window(),
      ttlAMs: 1_000,
      ttlBMs: 2_000,
      bytesPerRow: null,
      price: null,
    })
    const nothing = { beyond: null, rowsHeld: null, bytesHeld: null, costPerMonth: null }
    expect(found).toMatchObject({ keys: 0, a: nothing, b: nothing })
    expect(await readStorageCost(db, window())).toEqual({
      tiers: [],
      bytes: 0,
      costPerMonth: [],
      unpriced: [],
    })
    expect(await readDuplicatesAvoided(db, window())).toEqual([])
  })

  it('a TTL that is longer than the window is not measured beyond it, though what it holds is', async () => {
    const events = generateTraffic(7, nowMs - SPAN_MS, SPAN_MS, 60)
    await store(
      db,
      clock,
      events.map((event) => event.span),
    )
    const found = await compareTtls(db, { ...window(), ttlAMs: SPAN_MS, ttlBMs: MINUTE_MS, ...store100 })
    expect(found.a.beyond).toBeNull()
    expect(found.a.rowsHeld).toBeGreaterThan(0)
    expect(found.b.beyond).not.toBeNull()
  })

  it('duplicates avoided equal their definition, by endpoint', async () => {
    await rollUpDirtyMinutes(db, clock, { limit: 1000 })
    const events = generateTraffic(7, nowMs - SPAN_MS, SPAN_MS, 60)
    const avoided = (endpoint: string) =>
      events.filter(
        (event) =>
          event.type === 'request' &&
          event.endpoint === endpoint &&
          ['replayed', 'waited', 'in_progress'].includes(event.outcome),
      ).length
    const rows = await readDuplicatesAvoided(db, window())
    for (const { endpoint, avoided: found } of rows) expect(found, endpoint).toBe(avoided(endpoint))
    expect(rows.map(({ endpoint }) => endpoint).sort()).toEqual(['POST /v1/payments', 'POST /v1/refunds'])
  })

  it('a price is set by whoever manages sources, audited, and taken away again', async () => {
    await recordStoreSample(db, {
      at: new Date(nowMs - MINUTE_MS),
      sourceId: source,
      tier: 'standard',
      rows: 1_000n,
      bytes: 2n * 1024n ** 3n,
      expiredRows: 0n,
      oldestAt: null,
      oldestExpiredAt: null,
    })
    const price = { amount: '0.115', currency: 'usd' }
    await expect(setPrice(viewer, { source, price, reason })).rejects.toMatchObject({ code: 'forbidden' })
    await expect(setPrice(admin, { source: 'src_none', price, reason })).rejects.toMatchObject({
      code: 'not_found',
    })
    for (const bad of [
      { amount: '-1', currency: 'USD' },
      { amount: '1e3', currency: 'USD' },
      { amount: '0.1234567', currency: 'USD' },
      { amount: '1', currency: 'XXQ' },
    ])
      await expect(setPrice(admin, { source, price: bad, reason })).rejects.toThrow()
    const unpriced = await readStorageCost(db, window())
    expect(unpriced).toMatchObject({ unpriced: [source], costPerMonth: [], tiers: [{ costPerMonth: null }] })
    expect(bytesPerRowOf(unpriced, source)).toBeCloseTo((2 * 1024 ** 3) / 1_000)
    expect(bytesPerRowOf(unpriced, 'src_none')).toBeNull()

    await setPrice(admin, { source, price, reason })
    expect(await readStorageCost(db, window())).toMatchObject({
      unpriced: [],
      costPerMonth: [{ amount: '0.230000', currency: 'USD' }],
      tiers: [{ tier: 'standard', ttlMs: null, costPerMonth: { amount: '0.230000', currency: 'USD' } }],
    })
    await setPrice(admin, { source, price: null, reason })
    expect(await readPrices(db)).toEqual(new Map())
    const audited = await db.prisma.auditEntry.findMany({
      where: { verb: 'setting.store_price' },
      orderBy: { id: 'asc' },
    })
    expect(audited.map(({ subject, after }) => ({ subject, after }))).toEqual([
      { subject: source, after: { price: { amount: '0.115', currency: 'USD' } } },
      { subject: source, after: { price: null } },
    ])
  })
})

test('a cost is exact to a millionth, and less than a coin is not 0', () => {
  const usd = (amount: string) => ({ amount, currency: 'USD' })
  expect(monthlyCost(1024 ** 3, usd('0.115'))).toEqual(usd('0.115000'))
  expect(monthlyCost(9_007_199_254_740_991, usd('9999999.999999'))).toEqual(usd('83886079999991.602078'))
  expect(monthlyCost(0, usd('1'))).toEqual(usd('0.000000'))
  expect(sumCosts([usd('0.1'), { amount: '5', currency: 'JPY' }, usd('0.25')])).toEqual([
    { amount: '5.000000', currency: 'JPY' },
    usd('0.350000'),
  ])
  expect(costText(usd('12.345678'))).toBe('$12.35')
  expect(costText(usd('0.004'))).toBe('under $0.01')
  expect(costText(usd('0.000000'))).toBe('$0.00')
  expect(costText({ amount: '0.4', currency: 'JPY' })).toBe('under ¥1')
})
