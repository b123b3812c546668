import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { acquire, begin, charge, complete, pay, settle } from './payments'
import { createWorld, ripen, type World } from './world'

/** Texts that the console's database cannot keep come from clients: one of them stops nothing. */

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

test.each([
  ['a NUL', 'order\u0000one'],
  ['half a surrogate pair', 'order\ud83done'],
])(
  '%s in what a client called its order: it is read, and so is what comes after it',
  async (_, reference) => {
    const held = await acquire(world)
    await begin(world, held)
    const id = await charge(world, held, { reference: 'plain' })
    await settle(world, held, id, 1050)
    await complete(world, held, { id: 'pay_odd', reference, charge: id })
    const after = await pay(world, `after-${held.key}`, { skip: 'book' })
    expect((await ripen(world)).outcome).not.toBe('incomplete')
    const { rows } = await world.console.db.pool.query(
      `SELECT reference FROM mirror.object WHERE side = 'intent' AND key = $1`,
      [held.key],
    )
    expect(rows).toEqual([{ reference: 'order\ufffdone' }])
    const { items } = await listCases(world.system.db, { reference: after.reference }, { limit: 5 })
    expect(items.map((each) => each.class)).toEqual(['ledger_missing'])
  },
)

test('a NUL in what an object at the provider carries: the rest of its list is read', async () => {
  await charge(world, null, { reference: 'tagged\u0000order' })
  await charge(world, null, { reference: 'tagged-after' })
  expect((await ripen(world)).outcome).not.toBe('incomplete')
  const { rows } = await world.console.db.pool.query(
    `SELECT reference FROM mirror.object WHERE side = 'provider' AND reference LIKE 'tagged%' ORDER BY reference`,
  )
  expect(rows.map((row) => row.reference).sort()).toEqual(['tagged-after', 'tagged\ufffdorder'].sort())
})
