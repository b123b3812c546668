import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { acquire, begin, book, charge, complete, giveBack, settle } from './payments'
import { createWorld, reconcileNow, ripen, type World } from './world'

/** Principles 3, 4 and 10: exact pairs are derived, identity is for exceptions, and whatever comes later finds it. */

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const operationsOf = async (reference: string): Promise<(string | null)[]> => {
  const { rows } = await world.system.db.pool.query(
    'SELECT operation_id FROM mirror.object WHERE reference = $1 ORDER BY side, object_id',
    [reference],
  )
  return rows.map((row) => row.operation_id)
}
const aliases = async () =>
  Number((await world.system.db.pool.query('SELECT count(*) AS n FROM mirror.alias')).rows[0].n)
const classesOf = async (reference: string) =>
  (await listCases(world.system.db, { reference }, { limit: 10 })).items.map((each) => each.class)

/** Completed with a response that names the charge and nothing else. */
async function payExactly(reference: string, amount = 1050) {
  const held = await acquire(world)
  await begin(world, held)
  const id = await charge(world, held, { reference, amount })
  await settle(world, held, id, amount)
  await book(world, { ref: id, reference, amount })
  await complete(world, held, { reference, charge: id })
  return { held, charge: id, reference }
}

describe('principle 3: exact pairs are derived, exceptions are persisted', () => {
  test('a pair that agrees has no operation and no alias, and is counted as matched', async () => {
    for (let n = 0; n < 5; n++) await payExactly(`exact-${n}`)
    const before = await aliases()
    world.advance(6_000)
    const run = await reconcileNow(world)
    expect(run.counts.payments).toMatchObject({ compared: 5, matched: 5 })
    expect(await operationsOf('exact-0')).toEqual([null, null, null])
    expect(await aliases()).toBe(before)
  })

  test('a second posting of a pair that was matched long ago takes the pair along', async () => {
    const paid = await payExactly('late-posting')
    await ripen(world)
    expect(await operationsOf('late-posting')).toEqual([null, null, null])
    await book(world, { ref: paid.charge, reference: 'late-posting' })
    await ripen(world)
    expect(new Set(await operationsOf('late-posting')).size).toBe(1)
    expect(await classesOf('late-posting')).toEqual(['duplicate_ledger'])
  })

  test('a refund of a charge that was matched long ago is compared with it', async () => {
    const paid = await payExactly('late-refund')
    await ripen(world)
    await giveBack(world, paid, { skip: 'book' })
    await ripen(world)
    expect(await classesOf('late-refund')).toEqual(['refund_unbooked'])
  })

  test('a second charge of an order that was matched long ago is a duplicate, in whatever run', async () => {
    await payExactly('late-twin')
    await ripen(world)
    expect(await operationsOf('late-twin')).toEqual([null, null, null])
    await payExactly('late-twin')
    await ripen(world)
    expect(await classesOf('late-twin')).toEqual(['duplicate_semantic'])
  })

  test('two charges of one order in one run are a duplicate, though each is booked', async () => {
    await payExactly('twins')
    await payExactly('twins')
    await ripen(world)
    expect(await classesOf('twins')).toEqual(['duplicate_semantic'])
  })

  test('two postings in one run are found, though each agrees with the charge', async () => {
    const paid = await payExactly('posted-twice')
    await book(world, { ref: paid.charge, reference: 'posted-twice' })
    await ripen(world)
    expect(await classesOf('posted-twice')).toEqual(['duplicate_ledger'])
  })

  test('id and key matches ignore currency, which is how a mismatch of it is seen', async () => {
    const held = await acquire(world)
    const id = await charge(world, held, { reference: 'currency' })
    await book(world, { ref: id, reference: 'currency', currency: 'EUR' })
    await complete(world, held, { reference: 'currency', charge: id })
    await ripen(world)
    expect(await classesOf('currency')).toEqual(['currency_mismatch'])
  })
})

describe('principle 4: 1:N and N:1', () => {
  test('a charge of 1000 with postings 600 + 400 is matched', async () => {
    const held = await acquire(world)
    const id = await charge(world, held, { reference: 'split', amount: 1000 })
    await book(world, { ref: id, reference: 'split', amount: 600 })
    await book(world, { ref: id, reference: 'split', amount: 400 })
    await complete(world, held, { reference: 'split', charge: id })
    await ripen(world)
    expect(await classesOf('split')).toEqual([])
  })

  test('two refunds sum against their charge', async () => {
    const paid = await payExactly('two-refunds')
    await giveBack(world, paid, { amount: 600 })
    await giveBack(world, paid, { amount: 450 })
    await ripen(world)
    expect(await classesOf('two-refunds')).toEqual([])
  })
})
