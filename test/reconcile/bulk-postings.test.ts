import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { loadLedgerPage } from '@/lib/reconcile/stage/load-ledger'
import { LEDGER_FEED } from '@/lib/reconcile/stage/stage-ledger'
import type { LedgerSource } from '@/lib/sources/contracts'
import { openSystem } from '@/lib/sources/registry'
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

test('a connection to the console that breaks while the ledger is asked fails the page, and the next one reads it', async () => {
  const { system: ctx } = world
  const [open] = (await openSystem(ctx, 'payments')).ledgers
  if (open === undefined) throw new Error('no ledger')
  const read = () => loadLedgerPage(ctx, open, LEDGER_FEED)
  await read()
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     VALUES ('charge', 'ch_cut', 'ch_cut', 'cut', 1050, 'USD')`,
  )
  const copyPage: LedgerSource['copyPage'] = async (...given) => {
    await cutLoadingSession(ctx.db.pool)
    return open.source.copyPage(...given)
  }
  const cutOff = { ...open, source: { ...open.source, copyPage } }
  await expect(loadLedgerPage(ctx, cutOff, LEDGER_FEED)).rejects.toThrow(/connection/)
  await read()
  expect((await staged()).map((row) => row.provider_ref)).toContain('ch_cut')
})

/** The session that the page's rows are to come to: any but this one, which is done with its statement. */
async function cutLoadingSession(pool: pg.Pool): Promise<void> {
  await pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
  )
}
