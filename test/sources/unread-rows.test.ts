import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { readConditions } from '@/lib/conditions/read-conditions'
import { lookUp } from '@/lib/reconcile/classify/read/look-up'
import { openSystem } from '@/lib/sources/registry'
import { createOddRowsFixture, SETTINGS, TABLE } from './odd-rows-fixture'

/** Rows that no walk along a column comes by are read all the same, or it is said that they are not. */

const SYSTEM = 'unread'
const SCOPE = '7/POST /rides'
const fixture = await createOddRowsFixture(SYSTEM)
const { layout, stage, viewOf } = fixture
let store = ''
let growing = ''
let random = ''

beforeAll(async () => {
  await layout.db.query(`
    ALTER TABLE ${TABLE} ADD COLUMN seen_no bigint, ALTER response_status TYPE text;
    CREATE INDEX ON ${TABLE} (seen_no);
    CREATE TABLE growing (id bigserial PRIMARY KEY, kind text DEFAULT 'charge', ref text, amount text DEFAULT '1050',
      currency text DEFAULT 'EUR', at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE random (LIKE growing INCLUDING DEFAULTS);
    ALTER TABLE random ALTER id DROP DEFAULT, ALTER id TYPE uuid USING gen_random_uuid(), ALTER id SET DEFAULT gen_random_uuid()`)
  store = await fixture.save(
    { adapter: 'mapped-postgres', config: { ...layout.source.config, order: 'seen_no', overlapMs: 0 } },
    'unread store',
  )
  growing = await fixture.saveLedger('growing', 'growing', { overlapMs: 0 })
  random = await fixture.saveLedger('random', 'random', { overlapMs: 0 })
})
afterAll(() => fixture.close())

const staged = (source: string) =>
  fixture.staged(source, 'coalesce(key, provider_ref, object_id)', `kind || ' ' || status`)
const conditions = async () => {
  await evaluateConditions(fixture.system)
  const all = await readConditions(fixture.console.db)
  return all.filter(({ kind }) => kind === 'unread_rows').map(({ subject, detail }) => ({ subject, detail }))
}
const insert = (table: string, ref: string, at: string) =>
  layout.db.query(`INSERT INTO ${table} (ref, at) VALUES ($1, ${at})`, [ref])

describe('a ledger', () => {
  beforeEach(async () => {
    for (const id of [growing, random]) await fixture.forget(id)
    await layout.db.query('TRUNCATE growing, random')
  })

  test.each(['growing', 'random'])(
    'names rows without a booking time (ids: %s), and books them once they have one',
    async (table) => {
      const source = table === 'growing' ? growing : random
      await insert(table, 'ch_before', `clock_timestamp()`)
      await insert(table, 'ch_first', 'NULL')
      expect((await stage()).failures).toEqual([])
      await insert(table, 'ch_null', 'NULL')
      await insert(table, 'ch_past', `'-infinity'`)
      await insert(table, 'ch_after', 'clock_timestamp()')
      const outcome = await stage()
      expect(outcome.failures).toEqual([])
      expect(outcome.sides.ledger).toBe('complete')
      expect(await staged(source)).toEqual({
        ch_before: 'charge booked',
        ch_after: 'charge booked',
        ch_first: 'other booked',
        ch_null: 'other booked',
        ch_past: 'other booked',
      })
      expect((await viewOf(source))?.notUnderstood).toMatchObject({
        count: 3,
        latestReason: expect.stringContaining('booking time'),
      })
      expect(await conditions()).toEqual([
        { subject: source, detail: expect.objectContaining({ notUnderstood: 3, late: null }) },
      ])
      await layout.db.query(`UPDATE ${table} SET at = now() - interval '1 year'
        WHERE ref IN ('ch_first', 'ch_null', 'ch_past')`)
      await stage()
      expect(await staged(source)).toMatchObject({
        ch_first: 'charge booked',
        ch_null: 'charge booked',
        ch_past: 'charge booked',
      })
      expect((await viewOf(source))?.notUnderstood).toBeNull()
      expect(await conditions()).toEqual([])
    },
  )

  test('a row that can be asked for by its id is answered for, however odd it is', async () => {
    await insert('growing', 'ch_odd', 'NULL')
    await insert('growing', 'ch_far', `'290000-01-01'`)
    await insert('growing', 'ch_beside', 'clock_timestamp()')
    const wanted = ['ch_odd', 'ch_far', 'ch_beside'].map((ref) => ({ kind: 'ledger' as const, ref }))
    const failed = new Map()
    const sources = await openSystem(fixture.system, SYSTEM)
    const answered = await lookUp(fixture.system, sources, wanted, { left: 10, failed }, SETTINGS)
    expect([...failed.values()]).toEqual([])
    expect(answered.size).toBe(3)
    expect(await staged(growing)).toEqual({
      ch_odd: 'other booked',
      ch_far: 'other booked',
      ch_beside: 'charge booked',
    })
  })

  test('with more rows without a booking time than are read says so: nothing rests on its silence', async () => {
    await insert('growing', 'ch_1', 'clock_timestamp()')
    await layout.db.query(
      `INSERT INTO growing (ref, at) SELECT 'ch_n' || n, NULL FROM generate_series(1, 1100) n`,
    )
    const outcome = await stage()
    expect(outcome.sides.ledger).toBe('incomplete')
    expect(outcome.failures).toMatchObject([{ message: expect.stringContaining('without a booking time') }])
  })

  test.each([
    ['row by row', 3],
    ['in bulk', 450],
  ])('whose ids grow is read by them, where it books into the past: %s', async (_, rows) => {
    await layout.db.query(`INSERT INTO growing (ref, at)
      SELECT 'ch_old' || n, clock_timestamp() - n * interval '1 day' FROM generate_series(1, 20) n`)
    await stage()
    await stage()
    await layout.db.query(
      `INSERT INTO growing (ref, at) SELECT 'ch_back' || n, clock_timestamp() - interval '30 days' FROM generate_series(1, $1::int) n`,
      [rows],
    )
    await insert('growing', 'ch_now', 'clock_timestamp()')
    const outcome = await stage()
    const seen = await staged(growing)
    expect(Object.keys(seen).filter((ref) => ref.startsWith('ch_back'))).toHaveLength(rows)
    expect(seen).toMatchObject({ ch_now: 'charge booked' })
    expect(outcome.read).toBeLessThan(rows + 20)
    expect(await conditions()).toEqual([])
  })

  test('reads a row that was booked into the past and commits behind a younger one', async () => {
    await insert('growing', 'ch_old', `clock_timestamp() - interval '1 year'`)
    await stage()
    const client = await layout.db.connect()
    try {
      await client.query('BEGIN')
      await client.query(`INSERT INTO growing (ref, at) VALUES ('ch_slow', now() - interval '30 days')`)
      await insert('growing', 'ch_young', 'clock_timestamp()')
      await stage()
      await client.query('COMMIT')
    } finally {
      client.release()
    }
    await stage()
    expect(await staged(growing)).toMatchObject({ ch_slow: 'charge booked' })
  })

  test('whose ids tell no order is said to book into the past, when a row proves it', async () => {
    await insert('random', 'ch_old', `clock_timestamp() - interval '1 year'`)
    await stage()
    await insert('random', 'ch_back', `clock_timestamp() - interval '30 days'`)
    await insert('random', 'ch_fresh', 'clock_timestamp()')
    const sources = await openSystem(fixture.system, SYSTEM)
    const wanted = ['ch_back', 'ch_fresh'].map((ref) => ({ kind: 'ledger' as const, ref }))
    await lookUp(fixture.system, sources, wanted, { left: 10 }, SETTINGS)
    expect(await staged(random)).toMatchObject({ ch_back: 'charge booked', ch_fresh: 'charge booked' })
    expect((await viewOf(random))?.readLate).toMatchObject({ count: 1 })
    expect(await conditions()).toEqual([
      { subject: random, detail: expect.objectContaining({ notUnderstood: null, late: 1 }) },
    ])
    await lookUp(fixture.system, sources, wanted, { left: 10 }, SETTINGS)
    await stage()
    expect((await viewOf(random))?.readLate).toMatchObject({ count: 1 })
    await fixture.console.db.pool.query(
      `UPDATE mirror.unreadable SET seen_at = seen_at - interval '2 days' WHERE source_id = $1`,
      [random],
    )
    await stage()
    expect(await conditions()).toEqual([])
  })

  test('rows without an id, two of one time, are one object in bulk too', async () => {
    await layout.db.query('ALTER TABLE random ALTER id DROP NOT NULL, ALTER id DROP DEFAULT')
    await layout.db.query(`INSERT INTO random (ref, at)
      SELECT 'ch_same', '2026-11-22 10:00:00+00' FROM generate_series(1, 2)`)
    await layout.db.query(`INSERT INTO random (ref, at) VALUES ('ch_none', NULL)`)
    expect((await stage()).failures).toEqual([])
    expect(await staged(random)).toEqual({ ch_same: 'other booked', ch_none: 'other booked' })
  })
})

describe('a mapped store', () => {
  test('goes on beside rows without a place in its order, names them, and reads them once they have one', async () => {
    let serial = 0
    const finish = async (key: string, place: string) => {
      await layout.hold(key)
      await layout.finish(key)
      await layout.db.query(`UPDATE ${TABLE} SET seen_no = ${place} WHERE idempotency_key = $1`, [key])
    }
    await finish('placed-1', `${++serial}`)
    await finish('nowhere', 'NULL')
    expect((await stage()).failures).toEqual([])
    for (const key of ['placed-2', 'placed-3']) {
      await finish(key, `${++serial}`)
      expect((await stage()).failures).toEqual([])
    }
    expect(await staged(store)).toEqual({
      'placed-1': 'key completed',
      'placed-2': 'key completed',
      'placed-3': 'key completed',
      nowhere: 'key unknown',
    })
    expect((await viewOf(store))?.notUnderstood).toMatchObject({
      count: 1,
      latestReason: expect.stringContaining('seen_no is missing'),
    })
    await layout.db.query(`UPDATE ${TABLE} SET seen_no = 0 WHERE idempotency_key = 'nowhere'`)
    await stage()
    expect(await staged(store)).toMatchObject({ nowhere: 'key completed' })
    expect((await viewOf(store))?.notUnderstood).toBeNull()
  })

  test('sets a row apart whose time is thousands of years ahead, such as of another unit', async () => {
    await layout.hold('far')
    await layout.finish('far')
    await layout.db.query(
      `UPDATE ${TABLE} SET seen_no = 50, beat_at = '57000-01-01' WHERE idempotency_key = 'far'`,
    )
    await layout.hold('far-expiry')
    await layout.finish('far-expiry')
    await layout.db.query(
      `UPDATE ${TABLE} SET seen_no = 51, expires_ms = expires_ms * 1000 WHERE idempotency_key = 'far-expiry'`,
    )
    expect((await stage()).failures).toEqual([])
    expect(await staged(store)).toMatchObject({ far: 'key unknown', 'far-expiry': 'key unknown' })
    await layout.db.query(`DELETE FROM ${TABLE} WHERE idempotency_key LIKE 'far%'`)
  })

  test('that stood still at such a row before goes on', async () => {
    const { pool } = fixture.console.db
    await pool.query(
      `UPDATE mirror.cursor SET position = jsonb_set(position::jsonb, '{at}', '{"order":"null","key":"nowhere"}')::text
       WHERE source_id = $1 AND feed = 'records'`,
      [store],
    )
    expect((await stage()).failures).toEqual([])
  })

  test('answers for a key whose row is odd: its state is not known, and nothing else waits for it', async () => {
    await layout.hold('odd')
    await layout.finish('odd')
    await layout.hold('even')
    await layout.finish('even')
    await layout.db.query(`UPDATE ${TABLE} SET seen_no = 100 + id, response_status = CASE idempotency_key
      WHEN 'odd' THEN 'all fine' ELSE response_status END WHERE idempotency_key IN ('odd', 'even')`)
    const sources = await openSystem(fixture.system, SYSTEM)
    const failed = new Map()
    const wanted = ['odd', 'even'].map((key) => ({ kind: 'key' as const, scope: SCOPE, key }))
    const answered = await lookUp(fixture.system, sources, wanted, { left: 10, failed }, SETTINGS)
    expect([...failed.values()]).toEqual([])
    expect(answered.size).toBe(2)
    expect(await staged(store)).toMatchObject({ odd: 'key unknown', even: 'key completed' })
    await expect(sources.intents[0]?.source.readKey(SCOPE, 'odd')).rejects.toThrow(/cannot be understood/)
    expect((await viewOf(store))?.state).toBe('ok')
  })

  test('is collected beside a row without a place, which stays', async () => {
    await layout.db.query(
      `UPDATE ${TABLE} SET response_status = '201', seen_no = NULL WHERE idempotency_key = 'odd'`,
    )
    await layout.db.query(`UPDATE ${TABLE} SET expires_ms = 1000, created_at = now() - interval '40 days',
      "lockedAt" = now() - interval '40 days', beat_at = now() - interval '40 days'`)
    const { intents } = await openSystem(fixture.system, SYSTEM)
    const rows = intents[0]?.source.rowCollection
    const retention = { safetyMs: 0, providerWindowMs: 0 }
    let position: string | null = null
    for (let batch = 0; batch < 10; batch++) {
      const deleted: { next: string | null } | undefined = await rows?.deleteExpired(position, 2, retention)
      position = deleted?.next ?? null
      if (position === null) break
    }
    const { rows: left } = await layout.db.query(`SELECT idempotency_key AS key FROM ${TABLE}`)
    expect(left).toEqual([{ key: 'odd' }])
  })
})
