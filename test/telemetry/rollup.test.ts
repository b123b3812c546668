import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { observeEffects } from '@/lib/telemetry/ingest/keys/observe-effects'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { dropExpired, ensurePartitions } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { generateTraffic } from './model'
import { Random } from './random'
import { effectSpan, hash, requestSpan, store } from './spans'

const DAY_MS = 86_400_000
const clock = manualClock('2026-11-22T12:00:00Z')
const nowMs = clock.now().getTime()
const SPAN_MS = 10 * 60_000

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, clock)
})
afterEach(() => database.close())

/** What the tables must hold, counted from the events in one statement each. */
const DIFFERENCES = `
  WITH fresh AS (
    SELECT date_bin('1 minute', time, 'epoch') AS minute, service, endpoint, client, outcome, count(*) AS requests,
           sum(store_operations) AS operations, count(*) FILTER (WHERE expired_retry) AS expired
    FROM telemetry.keyed_request GROUP BY 1, 2, 3, 4, 5
  ), stored AS (
    SELECT minute, service, endpoint, client, outcome, sum(requests), sum(store_operations), sum(expired_retries)
    FROM telemetry.minute_request GROUP BY 1, 2, 3, 4, 5
  ), effects AS (
    SELECT date_bin('1 minute', time, 'epoch') AS minute, service, name, count(*), count(*) FILTER (WHERE duplicate)
    FROM telemetry.effect WHERE outcome = 'committed' GROUP BY 1, 2, 3
  ), stored_effects AS (
    SELECT minute, service, name, sum(committed), sum(duplicates) FROM telemetry.minute_effect GROUP BY 1, 2, 3
  )
  SELECT (SELECT count(*)::int FROM (TABLE fresh EXCEPT TABLE stored) a)
       + (SELECT count(*)::int FROM (TABLE stored EXCEPT TABLE fresh) b)
       + (SELECT count(*)::int FROM (TABLE effects EXCEPT TABLE stored_effects) c)
       + (SELECT count(*)::int FROM (TABLE stored_effects EXCEPT TABLE effects) d)
       + abs((SELECT count(*)::int FROM telemetry.keyed_request WHERE final)
           - (SELECT coalesce(sum(count), 0)::int FROM telemetry.minute_latency)) AS n`

describe('roll-up', () => {
  it('recomputed by three workers while intake goes on, every minute ends exact', async () => {
    const { db } = database
    const random = new Random(77)
    const sent = random.shuffle(generateTraffic(77, nowMs - SPAN_MS, SPAN_MS, 500))
    let storing = true
    const work = async () => {
      while (storing) await rollUpDirtyMinutes(db, clock, { limit: 5 })
    }
    const workers = [work(), work(), work()]
    while (sent.length > 0) {
      const batches = [sent.splice(0, 20), sent.splice(0, 20)]
      await Promise.all(
        batches.map((batch) =>
          store(
            db,
            clock,
            batch.map((event) => event.span),
          ),
        ),
      )
    }
    storing = false
    await Promise.all(workers)
    await rollUpDirtyMinutes(db, clock, { limit: 1000 })
    const { rows } = await db.pool.query(DIFFERENCES)
    expect(rows[0].n).toBe(0)
    const left = await db.pool.query('SELECT count(*)::int AS n FROM telemetry.dirty_minute')
    expect(left.rows[0].n).toBe(0)
  })

  it('a minute that changes while it is being rolled up stays dirty', async () => {
    const { db } = database
    const at = new Date(nowMs - 60_000)
    const one = { traceId: 'a1'.repeat(16), spanId: 'b1'.repeat(8), at, key: 'k1', outcome: 'executed' }
    await store(db, clock, [requestSpan(one)])
    const client = await db.pool.connect()
    try {
      // A worker that has claimed the minute and read its rows, but has not committed.
      await client.query('BEGIN')
      await client.query('DELETE FROM telemetry.dirty_minute')
      await store(db, clock, [requestSpan({ ...one, spanId: 'b2'.repeat(8), key: 'k2' })])
      await client.query('COMMIT')
    } finally {
      client.release()
    }
    expect(await rollUpDirtyMinutes(db, clock, { limit: 10 })).toEqual({ minutes: 1, newest: at })
    const measures = await readMeasures(db, { from: new Date(nowMs - 120_000), to: clock.now() }, clock.now())
    expect(measures[0]).toMatchObject({ id: 'M1', denominator: 2 })
  })
})

describe('retention', () => {
  it('drops whole partitions, keeps the figures, and a late observer does not wipe them', async () => {
    const { db } = database
    const at = new Date(nowMs - 2 * DAY_MS)
    const one = { traceId: 'c1'.repeat(16), spanId: 'd1'.repeat(8), at, key: 'old' }
    await store(db, clock, [
      requestSpan({ ...one, outcome: 'executed' }),
      effectSpan({ ...one, spanId: 'd2'.repeat(8), effectId: 'ch_1' }),
    ])
    await rollUpDirtyMinutes(db, clock, { limit: 10 })
    const later = manualClock(new Date(nowMs + 2 * DAY_MS))
    const dropped = await dropExpired(db, later, { span: 1, keyed_request: 3, effect: 400, rollUp: 400 })
    expect(dropped.busy).toEqual([])
    expect(dropped.partitions).toContain('span_20261120')
    expect(dropped.partitions).toContain('keyed_request_20261120')
    expect(dropped.partitions.some((partition) => partition.startsWith('effect'))).toBe(false)
    const scope = 'web/POST /v1/payments'
    const observer = { name: 'stripe.charge', step: 'charge', scope, keyHash: hash('old'), amount: null }
    await observeEffects(db, later, [
      {
        ...observer,
        effectId: 'ch_2',
        at: new Date(at.getTime() + 1000),
        outcome: 'committed',
        observer: 'provider',
      },
    ])
    await rollUpDirtyMinutes(db, later, { limit: 10 })
    const measures = await readMeasures(db, { from: at, to: new Date(at.getTime() + 60_000) }, later.now())
    expect(measures[0]).toMatchObject({ id: 'M1', denominator: 1 })
    expect(measures[1]).toMatchObject({ id: 'M2', numerator: 1, denominator: 2 })
  })

  it('a partition that somebody reads is left, and intake is not held up', async () => {
    const { db } = database
    const reader = await db.pool.connect()
    try {
      await reader.query('BEGIN')
      await reader.query('SELECT count(*) FROM telemetry.span')
      const later = manualClock(new Date(nowMs + 3 * DAY_MS))
      const dropped = await dropExpired(db, later, {
        span: 1,
        keyed_request: 30,
        effect: 400,
        rollUp: 400,
        log: 30,
      })
      expect(dropped).toMatchObject({ partitions: [], busy: ['span'] })
      await reader.query('COMMIT')
      const again = await dropExpired(db, later, {
        span: 1,
        keyed_request: 30,
        effect: 400,
        rollUp: 400,
        log: 30,
      })
      expect(again.partitions.length).toBeGreaterThan(0)
    } finally {
      reader.release()
    }
  })

  it('makers of partitions at once make each partition once', async () => {
    const later = manualClock(new Date(nowMs + 5 * DAY_MS))
    const made = await Promise.all(Array.from({ length: 4 }, () => ensurePartitions(database.db, later)))
    expect(made.reduce((sum, count) => sum + count, 0)).toBe(25)
  })
})
