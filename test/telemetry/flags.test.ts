import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { detectOrphans } from '@/lib/telemetry/ingest/keys/detect-orphans'
import { markTerminal } from '@/lib/telemetry/ingest/keys/mark-terminal'
import { observeEffects } from '@/lib/telemetry/ingest/keys/observe-effects'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { listEffects } from '@/lib/telemetry/read/effects/effects'
import { listKeyedRequests } from '@/lib/telemetry/read/requests/keyed-requests'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { Random } from './random'
import { effectSpan, hash, requestSpan, store } from './spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const at = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000)
const scope = 'web/POST /v1/payments'
const random = new Random(7)
const ids = () => ({ traceId: random.hex(16), spanId: random.hex(8) })
const whole = () => ({ from: at(-86_400), to: at(86_400), limit: 50 })
const amount = { minor: 1050n, currency: 'USD' }

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, clock)
})
afterAll(() => database.close())

const dirtyMinutes = async () => {
  const { rows } = await database.db.pool.query('SELECT count(*)::int AS n FROM telemetry.dirty_minute')
  return rows[0].n as number
}
const keyedRequests = (key: string) =>
  listKeyedRequests(database.db, { scope, keyHash: hash(key), limit: 50 })

describe('flags', () => {
  it('a resend changes nothing, not even a dirty minute', async () => {
    const { db } = database
    const one = { ...ids(), key: 'resend', at: at(-100) }
    const spans = [
      requestSpan({
        ...one,
        outcome: 'executed',
        state: 'completed',
        createdAt: one.at,
        expiresAt: at(1000),
      }),
      effectSpan({ ...one, spanId: random.hex(8), effectId: 'ch_resend' }),
    ]
    expect(await store(db, clock, spans)).toBe(2)
    const before = await dirtyMinutes()
    expect(await store(db, clock, spans)).toBe(0)
    expect(await store(db, clock, [...spans, ...spans])).toBe(0)
    expect(await dirtyMinutes()).toBe(before)
    expect(await keyedRequests('resend')).toHaveLength(1)
    const intake = await db.pool.query('SELECT sum(spans)::int AS n FROM telemetry.minute_intake')
    expect(intake.rows[0].n).toBe(2)
  })

  it('a terminal record without an expiry lives on: its key is seen again, and its effect stays covered', async () => {
    const { db } = database
    const key = 'no expiry'
    const first = {
      ...ids(),
      key,
      at: at(-100),
      outcome: 'executed',
      state: 'completed',
      createdAt: at(-100),
    }
    await store(db, clock, [requestSpan(first)])
    const effect = { ...ids(), key, at: at(-50), effectId: 'ch_no_expiry' }
    const again = { ...ids(), key, at: at(-50), outcome: 'replayed', state: 'completed', createdAt: at(-100) }
    expect(await store(db, clock, [requestSpan(again), effectSpan(effect)])).toBe(2)
    await markTerminal(db, [{ scope, keyHash: hash(key), at: at(-90) }])
    expect(await keyedRequests(key)).toMatchObject([
      { firstSeen: true, duplicate: false },
      { firstSeen: false, duplicate: true },
    ])
    const { rows } = await db.pool.query(
      `SELECT e.settled, k.terminal_until::text AS until FROM telemetry.effect e JOIN telemetry.key k USING (key_hash, scope)
       WHERE e.effect_id = 'ch_no_expiry'`,
    )
    expect(rows).toEqual([{ settled: true, until: 'infinity' }])
  })

  it('late first keyed request: the flags of later ones are put right', async () => {
    const { db } = database
    const late = { ...ids(), key: 'late', at: at(-300) }
    const retry = { ...ids(), key: 'late', at: at(-100) }
    await store(db, clock, [
      requestSpan({ ...retry, outcome: 'executed', state: 'completed', expiresAt: at(500) }),
    ])
    expect(await keyedRequests('late')).toMatchObject([{ firstSeen: true, expiredRetry: false }])
    await store(db, clock, [
      requestSpan({ ...late, outcome: 'executed', state: 'completed', expiresAt: at(-200) }),
    ])
    expect(await keyedRequests('late')).toMatchObject([
      { firstSeen: true, expiredRetry: false },
      { firstSeen: false, expiredRetry: true },
    ])
  })

  it('two effects of one step: the later is the duplicate, whichever arrives first', async () => {
    const { db } = database
    const first = { ...ids(), key: 'twice', at: at(-60) }
    const second = { ...ids(), key: 'twice', at: at(-30) }
    await store(db, clock, [effectSpan({ ...second, effectId: 'ch_second' })])
    await store(db, clock, [requestSpan({ ...second, spanId: random.hex(8), outcome: 'takeover' })])
    await store(db, clock, [effectSpan({ ...first, effectId: 'ch_first' })])
    const { items } = await listEffects(db, { kind: 'duplicate', ...whole() })
    expect(items.filter((item) => item.keyHash === hash('twice'))).toMatchObject([
      { effectId: 'ch_second', traceIds: [second.traceId], amount },
    ])
    expect(await keyedRequests('twice')).toMatchObject([{ effectTwice: true, outcome: 'takeover' }])
    // The trace's own request span comes after its effects are known to be two; another retry has no part in them.
    await store(db, clock, [
      requestSpan({ ...second, spanId: random.hex(8), outcome: 'executed', at: at(-31) }),
    ])
    await store(db, clock, [requestSpan({ ...ids(), key: 'twice', outcome: 'replayed', at: at(-10) })])
    expect(await keyedRequests('twice')).toMatchObject([
      { effectTwice: true, outcome: 'executed' },
      { effectTwice: true, outcome: 'takeover' },
      { effectTwice: false, outcome: 'replayed' },
    ])
  })

  it('the same effect id seen by span, store and provider is one row; the span names the time', async () => {
    const { db } = database
    const one = { ...ids(), key: 'seen-by-three', at: at(-60) }
    const row = {
      name: 'stripe.charge',
      step: 'charge',
      scope,
      keyHash: hash('seen-by-three'),
      effectId: 'ch_w',
      amount,
    }
    const outcome = 'committed' as const
    const provider = { ...row, at: at(-61), outcome, observer: 'provider' as const }
    await observeEffects(db, clock, [provider])
    await observeEffects(db, clock, [{ ...row, at: at(-59), outcome, observer: 'store' }, provider])
    await store(db, clock, [effectSpan({ ...one, effectId: 'ch_w' })])
    const before = await dirtyMinutes()
    await observeEffects(db, clock, [provider])
    expect(await dirtyMinutes()).toBe(before)
    const { rows } = await db.pool.query(
      'SELECT time, seen_by_span, seen_by_store, seen_by_provider, duplicate FROM telemetry.effect WHERE key_hash = $1',
      [Buffer.from(hash('seen-by-three'), 'hex')],
    )
    expect(rows).toEqual([
      { time: one.at, seen_by_span: true, seen_by_store: true, seen_by_provider: true, duplicate: false },
    ])
  })

  it('a provider object that no span named is a duplicate too', async () => {
    const { db } = database
    const one = { ...ids(), key: 'hidden', at: at(-60) }
    await store(db, clock, [effectSpan({ ...one, effectId: 'ch_seen' })])
    const row = { name: 'stripe.charge', step: 'charge', scope, keyHash: hash('hidden'), amount }
    await observeEffects(db, clock, [
      { ...row, effectId: 'ch_hidden', at: at(-20), outcome: 'committed', observer: 'provider' },
    ])
    const { items } = await listEffects(db, { kind: 'duplicate', ...whole() })
    expect(items.filter((item) => item.keyHash === hash('hidden'))).toMatchObject([
      { effectId: 'ch_hidden', seenBy: ['provider'] },
    ])
  })

  it('two connections with one key lose no flag', async () => {
    const { db } = database
    for (let round = 0; round < 10; round++) {
      const key = `race-${round}`
      const batches = Array.from({ length: 6 }, (_, index) => {
        const one = { ...ids(), key, at: at(-90 + index) }
        const state = index === 0 ? { state: 'completed', expiresAt: at(-87.5) } : {}
        return [
          requestSpan({ ...one, outcome: 'executed', ...state }),
          effectSpan({ ...one, spanId: random.hex(8), effectId: `ch_${round}_${index}` }),
        ]
      })
      await Promise.all(random.shuffle(batches).map((batch) => store(db, clock, batch)))
      const seen = await keyedRequests(key)
      expect(seen.map((each) => each.firstSeen)).toEqual([true, false, false, false, false, false])
      expect(seen.map((each) => each.expiredRetry)).toEqual([false, false, false, true, true, true])
      expect(seen.map((each) => each.effectTwice)).toEqual([false, true, true, true, true, true])
      const { rows } = await db.pool.query(
        'SELECT duplicate FROM telemetry.effect WHERE key_hash = $1 ORDER BY time',
        [Buffer.from(hash(key), 'hex')],
      )
      expect(rows.map((row) => row.duplicate)).toEqual([false, true, true, true, true, true])
    }
  })
})

describe('the list of duplicates', () => {
  it('pages without losing or repeating a row, equal times included', async () => {
    const { db } = database
    const { items: all } = await listEffects(db, { kind: 'duplicate', ...whole(), limit: 200 })
    expect(all.length).toBeGreaterThan(20)
    const paged: string[] = []
    let cursor: Awaited<ReturnType<typeof listEffects>>['next'] = null
    do {
      const page = await listEffects(db, {
        kind: 'duplicate',
        ...whole(),
        limit: 7,
        cursor: cursor ?? undefined,
      })
      paged.push(...page.items.map((item) => item.effectId))
      cursor = page.next
    } while (cursor !== null)
    expect(paged).toEqual(all.map((item) => item.effectId))
  })
})

describe('orphans', () => {
  const orphan = async (key: string) => {
    const { items } = await listEffects(database.db, { kind: 'orphan', ...whole() })
    return items.find((item) => item.keyHash === hash(key))
  }

  it('is found after grace, found in the store later, and stays counted as detected', async () => {
    const { db } = database
    const one = { ...ids(), key: 'orphan', at: at(-40) }
    await store(db, clock, [effectSpan({ ...one, effectId: 'ch_orphan' })])
    await detectOrphans(db, clock, { graceMs: 60_000 })
    expect(await orphan('orphan')).toBeUndefined()
    await detectOrphans(db, clock, { graceMs: 30_000 })
    expect(await orphan('orphan')).toMatchObject({ open: true, orphanAt: clock.now() })
    await markTerminal(db, [{ scope, keyHash: hash('orphan'), at: at(5), expiresAt: at(3600) }])
    expect(await orphan('orphan')).toMatchObject({ open: false })
  })

  it('a late span that shows a record older than the finding clears it', async () => {
    const { db } = database
    const one = { ...ids(), key: 'late-terminal', at: at(-40) }
    await store(db, clock, [effectSpan({ ...one, effectId: 'ch_late' })])
    await detectOrphans(db, clock, { graceMs: 30_000 })
    expect(await orphan('late-terminal')).toMatchObject({ open: true })
    await store(db, clock, [
      requestSpan({
        ...one,
        spanId: random.hex(8),
        outcome: 'executed',
        state: 'completed',
        expiresAt: at(900),
      }),
    ])
    expect(await orphan('late-terminal')).toBeUndefined()
  })

  it('the record of an earlier life does not cover a later effect', async () => {
    const { db } = database
    const first = { ...ids(), key: 'lives', at: at(-200) }
    const second = { ...ids(), key: 'lives', at: at(-60) }
    await store(db, clock, [
      requestSpan({ ...first, outcome: 'executed', state: 'completed', expiresAt: at(-100) }),
      effectSpan({ ...first, spanId: random.hex(8), effectId: 'ch_life1' }),
      effectSpan({ ...second, effectId: 'ch_life2' }),
    ])
    await detectOrphans(db, clock, { graceMs: 30_000 })
    expect(await orphan('lives')).toMatchObject({ effectId: 'ch_life2', open: true })
  })

  it('M6 counts what was found in the window, and what is open now', async () => {
    const { db } = database
    await detectOrphans(db, clock, { graceMs: 30_000 })
    await rollUpDirtyMinutes(db, clock, { limit: 1000 })
    const measures = await readMeasures(db, { from: at(-3600), to: at(60) }, clock.now())
    const m6 = measures.find((measure) => measure.id === 'M6')
    const { rows } = await db.pool.query(`SELECT count(*) FILTER (WHERE orphan_at IS NOT NULL)::int AS found,
      count(*) FILTER (WHERE orphan_at IS NOT NULL AND NOT settled)::int AS open FROM telemetry.effect`)
    expect(m6).toMatchObject({ value: rows[0].found, state: 'breach', detail: { open: rows[0].open } })
    expect(rows[0].found).toBeGreaterThan(rows[0].open)
  })
})
