import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { charge } from './payments'
import { createWorld, reconcileNow, ripen, type World } from './world'

/** A posting that lies where no feed comes by is read, or it is said that it is not: its charge is no orphan. */

let world: World
beforeAll(async () => {
  world = await createWorld()
  await world.service.query('ALTER TABLE ledger_entry ALTER booked_at DROP NOT NULL')
})
afterAll(() => world.close())

const book = (ref: string, reference: string, at: string) =>
  world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency, booked_at)
     VALUES ('charge', $1, $1, $2, 1050, 'USD', ${at})`,
    [ref, reference],
  )
const classesOf = async (reference: string) =>
  (await listCases(world.system.db, { reference }, { limit: 10 })).items
    .filter(({ lifecycle }) => lifecycle !== 'resolved')
    .map((each) => each.class)

test('booked without a time: set apart, never offered as an orphan; booked once it has one', async () => {
  await reconcileNow(world)
  const id = await charge(world, null, { reference: 'undated' })
  await book(id, 'undated', 'NULL')
  expect((await ripen(world)).outcome).not.toBe('incomplete')
  expect(await classesOf('undated')).toEqual(['unclassified'])
  await world.service.query(
    `UPDATE ledger_entry SET booked_at = now() - interval '1 year' WHERE booked_at IS NULL`,
  )
  await reconcileNow(world)
  expect(await classesOf('undated')).toEqual([])
})

test('booked into the past, twice: both postings are read, and the second one is a case', async () => {
  const id = await charge(world, null, { reference: 'backdated' })
  for (let n = 0; n < 2; n++) await book(id, 'backdated', `now() - interval '30 days'`)
  await ripen(world)
  expect(await classesOf('backdated')).toEqual(['duplicate_ledger'])
})

test('with more rows without a time than are read, an orphan is not called one', async () => {
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency, booked_at)
     SELECT 'charge', 'ch_n' || n, 'ch_n' || n, 'many', 1050, 'USD', NULL FROM generate_series(1, 1100) n`,
  )
  await charge(world, null, { reference: 'waiting' })
  expect((await ripen(world)).outcome).toBe('incomplete')
  expect((await listCases(world.system.db, { reference: 'waiting' }, { limit: 10 })).items).toEqual([])
})
