import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOddRowsFixture, TABLE } from './odd-rows-fixture'

/** One row that cannot be understood stops nothing, is counted and shown, and is never taken for absent. */

const fixture = await createOddRowsFixture('odd')
const { layout, stage, viewOf } = fixture
let store = ''
let ledger = ''
beforeAll(async () => {
  await layout.db.query(
    `ALTER TABLE ${TABLE} ALTER response_status TYPE text, ALTER created_at DROP NOT NULL`,
  )
  await layout.db.query(
    `CREATE TABLE posting (id text, kind text, ref text, amount numeric, currency text, at timestamptz)`,
  )
  store = await fixture.save(layout.source, 'odd store')
  ledger = await fixture.saveLedger('posting', 'odd ledger')
})
afterAll(() => fixture.close())

const staged = (source: string) =>
  fixture.staged(source, 'coalesce(key, object_id)', `side || ' ' || kind || ' ' || status`)

test('rows of a store: those beside are read, the odd one is a key whose state is not known', async () => {
  for (const key of ['before', 'odd-status', 'odd-expiry', 'odd-live', 'after']) {
    await layout.hold(key)
    if (key !== 'odd-live') await layout.finish(key)
  }
  await layout.db.query(
    `UPDATE ${TABLE} SET response_status = 'all fine' WHERE idempotency_key = 'odd-status'`,
  )
  await layout.db.query(`UPDATE ${TABLE} SET created_at = NULL WHERE idempotency_key = 'odd-live'`)
  await layout.db.query(`UPDATE ${TABLE} SET created_at = 'infinity' WHERE idempotency_key = 'odd-expiry'`)
  const outcome = await stage()
  expect(outcome.failures).toEqual([])
  expect(await staged(store)).toMatchObject({
    before: 'intent key completed',
    after: 'intent key completed',
    'odd-status': 'intent key unknown',
    'odd-live': 'intent key unknown',
    'odd-expiry': 'intent key unknown',
  })
  expect((await viewOf(store))?.notUnderstood).toMatchObject({
    count: 3,
    latestReason: expect.stringMatching(/created_at|status: is no HTTP status/),
  })
  await stage()
  expect((await viewOf(store))?.notUnderstood?.count).toBe(3)
})

test('mended in place, it is read, and counted no more', async () => {
  await layout.db.query(`UPDATE ${TABLE} SET response_status = '201' WHERE idempotency_key = 'odd-status'`)
  await stage()
  expect(await staged(store)).toMatchObject({ 'odd-status': 'intent key completed' })
  expect((await viewOf(store))?.notUnderstood?.count).toBe(2)
})

test.each([
  ['row by row', 3],
  ['in bulk', 400],
])(
  'rows of a ledger, read %s: a posting without a whole amount is set apart, the rest is booked',
  async (_, rows) => {
    await layout.db.query('TRUNCATE posting')
    await fixture.forget(ledger)
    await layout.db.query(
      `INSERT INTO posting SELECT 'p-' || n, 'charge', 'ch_' || n, 1050, 'EUR', now() - interval '1 minute' + n * interval '1 ms'
     FROM generate_series(1, $1::int) n`,
      [rows],
    )
    await stage()
    await layout.db.query(`INSERT INTO posting VALUES ('odd-1', 'charge', 'ch_a', 10.5, 'EUR', now()),
    ('odd-2', 'charge', 'ch_b', 1050, NULL, now()), (NULL, 'charge', 'ch_c', 1050, 'EUR', now()), ('odd-4', 'charge', 'ch_d', NULL, 'EUR', now())`)
    await layout.db.query(
      `INSERT INTO posting SELECT 'q-' || n, 'charge', 'cq_' || n, 1050, 'EUR', now() FROM generate_series(1, $1::int) n`,
      [rows],
    )
    expect((await stage()).failures).toEqual([])
    const seen = await staged(ledger)
    expect(Object.values(seen).filter((what) => what === 'ledger charge booked')).toHaveLength(2 * rows)
    expect(seen).toMatchObject({ 'odd-1': 'ledger other booked', 'odd-2': 'ledger other booked' })
    expect((await viewOf(ledger))?.notUnderstood).toMatchObject({ count: 4 })
    await layout.db.query(`UPDATE posting SET amount = 1050, currency = 'EUR', id = coalesce(id, 'odd-3')`)
    await stage()
    expect(await staged(ledger)).toMatchObject({
      'odd-1': 'ledger charge booked',
      'odd-3': 'ledger charge booked',
    })
    expect((await viewOf(ledger))?.notUnderstood?.count).toBe(1)
  },
)

test('the first reading of a ledger meets odd rows, too', async () => {
  await layout.db.query(
    `INSERT INTO posting VALUES ('first', 'charge', 'ch_f', 0.1, 'EUR', now() - interval '1 hour')`,
  )
  await fixture.console.db.pool.query('DELETE FROM mirror.cursor WHERE source_id = $1', [ledger])
  expect((await stage()).failures).toEqual([])
  expect(await staged(ledger)).toMatchObject({ first: 'ledger other booked' })
})

test('a transaction that stays open is named with the time since when', async () => {
  const client = await layout.db.connect()
  const { rows } = await client
    .query('BEGIN; SELECT now() AS at')
    .then((all) => (all as never as { rows: { at: Date }[] }[])[1] ?? { rows: [] })
  await stage()
  const view = await viewOf(ledger)
  expect(Date.parse(view?.openTransaction?.since ?? '')).toBe(rows[0]?.at.getTime())
  await client.query('ROLLBACK')
  client.release()
  // A session of another database that starts or ends at this moment counts for one pass: it may be one of ours.
  for (let pass = 0; pass < 5 && (pass === 0 || (await viewOf(ledger))?.openTransaction); pass++)
    await stage()
  expect((await viewOf(ledger))?.openTransaction).toBeNull()
})
