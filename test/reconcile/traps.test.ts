import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { charge, giveBack, pay } from './payments'
import { createWorld, reconcileNow, ripen, type World } from './world'

/** The traps of reconciliation.md, each through the Stripe adapter, over HTTP, into the mirror and its cases. */

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const staged = async (): Promise<string[]> => {
  const { rows } = await world.system.db.pool.query(
    `SELECT object_id FROM mirror.object WHERE side = 'provider' AND kind = 'charge' AND status <> 'absent' ORDER BY 1`,
  )
  return rows.map((row) => row.object_id)
}
const statusOf = async (id: string): Promise<string> =>
  (await world.system.db.pool.query('SELECT status FROM mirror.object WHERE object_id = $1', [id])).rows[0]
    ?.status
const classes = async () =>
  (await listCases(world.system.db, {}, { limit: 50 })).items.map((each) => each.class)
const many = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => charge(world, null, { reference: `many-${n}` })))

describe('lists', () => {
  test('a full second of objects, read in pages, loses none', async () => {
    world.provider.control.setSwitches({ clock: { frozenAtMs: world.system.clock.now().getTime() } })
    const made = await many(230)
    world.provider.control.setSwitches({ clock: {} })
    world.advance(6_000)
    await reconcileNow(world)
    expect(await staged()).toEqual([...made].sort())
  })

  test('objects made between two pages move nothing, and are staged by the next pass', async () => {
    const made = await many(120)
    world.advance(6_000)
    world.provider.control.setSwitches({ midPage: { remaining: 5, match: 'GET /v1/charges' } })
    await reconcileNow(world)
    expect(await staged()).toEqual([...made].sort())
    world.provider.control.setSwitches({ midPage: { remaining: 0, match: '' } })
    world.advance(10_000)
    await reconcileNow(world)
    expect(await staged()).toHaveLength(122)
  })

  test('what a list shows late is in the overlap of the next pass', async () => {
    const made = await many(3)
    world.provider.control.setSwitches({ listLagMs: 8_000 })
    world.advance(4_000)
    await reconcileNow(world)
    expect(await staged()).toEqual([])
    world.advance(5_000)
    await reconcileNow(world)
    expect(await staged()).toEqual([...made].sort())
  })

  test('429 in the middle of a listing: waited for, resumed, nothing lost', async () => {
    const made = await many(150)
    world.advance(6_000)
    world.provider.control.setSwitches({
      rateLimit: { remaining: 1, retryAfterS: 1, match: 'GET /v1/charges' },
    })
    const run = await reconcileNow(world)
    expect(run.counts.payments).toMatchObject({ failures: [] })
    expect(await staged()).toEqual([...made].sort())
  })

  test('5xx until the source is given up: incomplete, and the next run goes on where it stood', async () => {
    const made = await many(150)
    world.advance(6_000)
    world.provider.control.setSwitches({
      serverError: { remaining: 50, effect: 'before', match: 'GET /v1/charges' },
    })
    expect((await reconcileNow(world)).outcome).toBe('incomplete')
    world.provider.control.setSwitches({ serverError: { remaining: 0, effect: 'before' } })
    await reconcileNow(world)
    expect(await staged()).toEqual([...made].sort())
  })

  test('a suspiciously empty answer makes the run incomplete, not green', async () => {
    for (let n = 0; n < 20; n++) await pay(world, `empty-${n}`)
    world.advance(60_000)
    world.provider.control.setSwitches({ emptyList: { remaining: 100, match: 'GET /v1' } })
    const run = await reconcileNow(world)
    expect(run.outcome).toBe('incomplete')
    expect(run.counts.payments).toMatchObject({ opened: 0, failures: [{ name: 'provider' }] })
    // What it hid is listed again, and until then no silence counts.
    world.provider.control.setSwitches({ emptyList: { remaining: 0, match: '' } })
    expect((await reconcileNow(world)).outcome).toBe('reconciled')
    expect(await staged()).toHaveLength(20)
  })
})

test('an object that is found by its id proves the listing that did not show it incomplete: it is listed again', async () => {
  world.advance(60_000)
  await reconcileNow(world)
  const hidden = await pay(world, 'hidden')
  const orphan = await charge(world, null, { reference: 'nobody-knows' })
  world.advance(20_000)
  world.provider.control.setSwitches({ emptyList: { remaining: 100, match: 'GET /v1' } })
  // The record names its charge, which is asked for by id.
  await reconcileNow(world)
  expect(await statusOf(hidden.charge)).toBe('succeeded')
  expect(await statusOf(orphan)).toBeUndefined()
  world.provider.control.setSwitches({ emptyList: { remaining: 0, match: '' } })
  world.advance(600_000)
  await reconcileNow(world)
  expect(await statusOf(orphan)).toBe('succeeded')
})

describe('events', () => {
  async function failLater(events: Record<string, unknown>, settings = {}) {
    const paid = await pay(world, 'event')
    world.advance(10_000)
    await reconcileNow(world, { settings })
    // Beyond what any list is read again for.
    world.advance(1_000_000)
    await reconcileNow(world, { settings })
    world.provider.control.setSwitches({ events })
    await world.provider.control.failCharge(paid.charge)
    world.advance(6_000)
    await reconcileNow(world, { settings })
    return paid.charge
  }

  test('an update of an older object comes by the event feed, which no list shows', async () => {
    expect(await statusOf(await failLater({}))).toBe('failed')
  })

  test('events doubled and reordered change nothing: they are hints, the object is read', async () => {
    const id = await failLater({ twice: true, reversed: true })
    expect(await statusOf(id)).toBe('failed')
    world.advance(20_000)
    await reconcileNow(world)
    expect(await classes()).toEqual(['reversed_after_post'])
  })

  test('an event that is late comes with a later pass', async () => {
    // Minutes, of which a slow machine takes no part.
    const settings = { settleDelayMs: 300_000 }
    const id = await failLater({ lateMs: 300_000 }, settings)
    expect(await statusOf(id)).toBe('succeeded')
    world.advance(300_000)
    await reconcileNow(world, { settings })
    expect(await statusOf(id)).toBe('failed')
  })

  test('events that are gone before they were read make one run incomplete, which says of which time', async () => {
    await reconcileNow(world)
    world.advance(40 * 86_400_000)
    const run = await reconcileNow(world)
    expect(run.outcome).toBe('incomplete')
    expect(run.counts.payments).toMatchObject({
      failures: [
        { name: 'provider', message: expect.stringMatching(/^changes from .* reconcile that time/) },
      ],
    })
    expect((await reconcileNow(world)).counts.payments).toMatchObject({ incomplete: false, failures: [] })
  })

  test('an event that is lost: what is open is polled by id', async () => {
    const paid = await pay(world, 'lost-event')
    const { refund } = await giveBack(world, paid, { skip: 'book' })
    await ripen(world)
    expect(await classes()).toEqual(['refund_unbooked'])
    // Its failure is told by no event; the case is open, so the refund is asked for again.
    world.provider.control.setSwitches({ events: { loseEvery: 1 } })
    await world.provider.control.failRefund(refund)
    world.advance(600_000)
    await reconcileNow(world)
    expect(await statusOf(refund)).toBe('failed')
    expect(await classes()).toEqual(['refund_failed'])
  })
})

describe('clocks', () => {
  test('a provider a second ahead or behind loses nothing', async () => {
    world.provider.control.setSwitches({ clock: { skewMs: 900 } })
    const ahead = await charge(world, null, { reference: 'ahead' })
    world.advance(3_000)
    world.provider.control.setSwitches({ clock: { skewMs: -900 } })
    const behind = await charge(world, null, { reference: 'behind' })
    world.advance(10_000)
    await reconcileNow(world)
    expect(await staged()).toEqual([ahead, behind].sort())
  })
})

test('fee_variance and dispute_unbooked, through balance transactions, the list of disputes and events', async () => {
  const paid = await pay(world, 'disputed')
  // 2.9 % of 1050 and 30: the provider kept 60.
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     VALUES ('fee', $1, $1, 'disputed', 61, 'USD')`,
    [paid.charge],
  )
  world.advance(10_000)
  await reconcileNow(world)
  await world.provider.control.disputeCharge(paid.charge)
  world.advance(30_000)
  await reconcileNow(world)
  world.advance(30_000)
  await reconcileNow(world)
  expect((await classes()).sort()).toEqual(['dispute_unbooked', 'fee_variance'])
  await world.provider.control.decideDispute(paid.charge, 'won')
  await world.service.query(`UPDATE ledger_entry SET amount_minor = 60 WHERE entry_kind = 'fee'`)
  world.advance(30_000)
  await reconcileNow(world)
  const { items } = await listCases(world.system.db, {}, { limit: 50 })
  expect(items.filter((each) => each.lifecycle !== 'resolved')).toEqual([])
})
