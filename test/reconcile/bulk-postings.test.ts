import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { pay } from './payments'
import { createWorld, reconcileNow, type World } from './world'

/** More than are read row by row: what is behind them comes in bulk. */
const MORE = 210

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

/** Postings of nothing, so many, are no flood here. */
const reconcile = () => reconcileNow(world, { settings: { floodCap: 2_000 } })

const staged = async () => {
  const { rows } = await world.system.db.pool.query(
    `SELECT object_id, kind, status, provider_ref, parent_ref, reference, amount_minor, currency, occurred_at, seq,
       encode(content_hash, 'hex') AS hash FROM mirror.object WHERE side = 'ledger' ORDER BY object_id`,
  )
  return rows
}

test('postings since the last run come in bulk where they are many: none is lost, and read again none changes', async () => {
  await pay(world, 'before')
  world.advance(6_000)
  await reconcile()
  // All in one microsecond: a page ends among equals.
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     SELECT 'charge', 'ch_bulk' || n, 'ch_bulk' || n, 'bulk-' || n, 1000 + n, 'USD' FROM generate_series(1, $1::int) n`,
    [MORE],
  )
  world.advance(6_000)
  await reconcile()
  const first = await staged()
  expect(first).toHaveLength(MORE + 1)
  expect(first.find(({ reference }) => reference === 'bulk-7')).toMatchObject({
    kind: 'charge',
    status: 'booked',
    provider_ref: 'ch_bulk7',
    amount_minor: '1007',
    currency: 'USD',
  })
  // The overlap: row by row and in bulk they are the same rows.
  world.advance(6_000)
  await reconcile()
  expect(await staged()).toEqual(first)
})

test('a posting that arrives in bulk joins the operation that waits for it', async () => {
  const paid = await pay(world, 'late', { skip: 'book' })
  world.advance(6_000)
  await reconcile()
  world.advance(20_000)
  await reconcile()
  const cases = async () => (await listCases(world.system.db, { reference: 'late' }, { limit: 5 })).items
  expect(await cases()).toMatchObject([{ class: 'ledger_missing', lifecycle: 'new' }])
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     SELECT 'charge', ref, ref, 'more-' || n, 1050, 'USD'
     FROM (SELECT n, CASE n WHEN $1::int THEN $2 ELSE 'ch_more' || n END AS ref FROM generate_series(1, $1::int) n) p`,
    [MORE, paid.charge],
  )
  world.advance(6_000)
  await reconcile()
  expect(await cases()).toMatchObject([{ lifecycle: 'resolved', resolution: 'auto_resolved' }])
})
