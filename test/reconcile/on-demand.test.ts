import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readWatermark } from '@/lib/mirror/watermark'
import { listCases } from '@/lib/reconcile/cases/cases'
import { book, pay } from './payments'
import { createWorld, reconcileNow, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const casesOf = async (reference: string) =>
  (await listCases(world.system.db, { reference }, { limit: 10 })).items.map(
    ({ class: name, lifecycle }) => ({
      name,
      lifecycle,
    }),
  )
const watermarkNow = async () => (await readWatermark(world.system.db, 'payments')).from

describe('on demand', () => {
  test('a key: asked by id, the rest is left alone', async () => {
    const paid = await pay(world, 'key-1', { skip: 'book' })
    const other = await pay(world, 'key-2', { skip: 'book' })
    world.advance(6_000)
    await reconcileNow(world)
    world.advance(20_000)
    const watermark = await watermarkNow()
    const run = await reconcileNow(world, { params: { scope: paid.held.scope, key: paid.held.key } })
    expect(run.outcome).toBe('breaks')
    expect(run.counts.payments).toMatchObject({ compared: 1, opened: 1 })
    expect(await casesOf('key-1')).toMatchObject([{ name: 'ledger_missing' }])
    expect(await casesOf('key-2')).toEqual([])
    expect(await watermarkNow()).toBe(watermark)

    await book(world, { ref: paid.charge, reference: 'key-1' })
    const second = await reconcileNow(world, { params: { scope: paid.held.scope, key: paid.held.key } })
    expect(second.counts.payments).toMatchObject({ resolved: 1 })
    await book(world, { ref: other.charge, reference: 'key-2' })
    await reconcileNow(world)
  })

  test('a reference: other open cases stay open', async () => {
    await pay(world, 'ref-1', { bookAs: 77 })
    await pay(world, 'ref-2', { bookAs: 78 })
    world.advance(30_000)
    await reconcileNow(world)
    expect(await casesOf('ref-2')).toMatchObject([{ lifecycle: 'new' }])
    const run = await reconcileNow(world, { params: { reference: 'ref-1' } })
    expect(run.counts.payments).toMatchObject({ compared: 1, opened: 0, resolved: 0 })
    expect(await casesOf('ref-1')).toMatchObject([{ lifecycle: 'persisting' }])
    expect(await casesOf('ref-2')).toMatchObject([{ lifecycle: 'new' }])
  })

  test('nothing of it is known: nothing is compared, and nothing is asserted', async () => {
    const run = await reconcileNow(world, { params: { reference: 'nowhere' } })
    expect(run).toMatchObject({ outcome: 'incomplete' })
    expect(run.counts.payments).toMatchObject({
      compared: 0,
      nothingCompared: expect.stringContaining('nothing of payments was found'),
    })
  })

  test('an outage window: what was booked late under an old date is read again', async () => {
    const from = world.system.clock.now()
    const paid = await pay(world, 'outage', { skip: 'book' })
    world.advance(30_000)
    const to = world.system.clock.now()
    await reconcileNow(world)
    // The ledger's backlog is worked off long after, with the dates of the outage: the cursor is far ahead of them.
    world.advance(3_600_000)
    await reconcileNow(world)
    await world.service.query(
      `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency, booked_at)
       VALUES ('charge', $1, $1, 'outage', 1050, 'USD', $2)`,
      [paid.charge, new Date(from.getTime() + 1_000)],
    )
    const params = { from: new Date(from.getTime() - 2_000).toISOString(), to: to.toISOString() }
    const run = await reconcileNow(world, { params })
    expect(run.counts.payments).toMatchObject({ resolved: 1 })
    expect(await casesOf('outage')).toMatchObject([{ lifecycle: 'resolved' }])
  })
})
