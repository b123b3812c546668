import type Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listSources } from '@/lib/mirror/read/list-sources'
import { listCases } from '@/lib/reconcile/cases/cases'
import {
  acquire,
  begin,
  book,
  charge,
  chargeByIntent,
  complete,
  giveBack,
  killHolder,
  openSession,
  pay,
  settle,
} from './payments'
import { createWorld, reconcileNow, ripen, type World } from './world'

/** As services had it whose version of the API is older: a released authorisation makes a refund object. */
const OLDER = { apiVersion: '2024-06-20' } as Stripe.RequestOptions

/** Payments as Stripe's customers really make them, through the real adapter, over HTTP, into the mirror and its cases. */

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const found = async () =>
  (await listCases(world.system.db, {}, { limit: 50 })).items
    .filter(({ lifecycle }) => lifecycle !== 'resolved')
    .map(({ class: name, subject }) => ({ class: name, effectIds: subject.effectIds }))
    .sort((a, b) => (a.class < b.class ? -1 : 1))

describe('a service that keeps the payment intent, and writes its tags on the intent alone', () => {
  test('agrees with a record and a posting that name the intent', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const made = await chargeByIntent(world, held)
    await settle(world, held, made.intent, 1050)
    await book(world, { ref: made.intent, reference: 'by-intent' })
    await complete(world, held, { charge: made.intent, reference: 'by-intent' })
    expect((await ripen(world)).outcome).toBe('reconciled')
    expect(await found()).toEqual([])
  })

  test('lacks a posting: ledger_missing, not an orphan with a refund as its fix', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const made = await chargeByIntent(world, held)
    await settle(world, held, made.intent, 1050)
    await complete(world, held, { charge: made.intent, reference: 'unbooked' })
    await ripen(world)
    expect(await found()).toEqual([{ class: 'ledger_missing', effectIds: [made.charge] }])
  })

  test('dies after the charge: its effect is done, and its lock is not offered for release', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const made = await chargeByIntent(world, held)
    await killHolder(world, held)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'stuck_effect_done', effectIds: [made.charge] }])
  })

  test('dies with the intent as its only trace: looked up by it, the effect is done', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const intent = await world.stripe.paymentIntents.create({
      amount: 1050,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_visa',
    })
    await settle(world, held, intent.id, 1050)
    await killHolder(world, held)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'stuck_effect_done', effectIds: [String(intent.latest_charge)] }])
  })
})

describe('a service that keeps the checkout session', () => {
  test('agrees with a record and a posting that name the session', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const session = await openSession(world, held)
    await world.provider.control.paySession(session)
    await settle(world, held, session, 1050)
    await book(world, { ref: session, reference: 'by-session' })
    await complete(world, held, { charge: session, reference: 'by-session' })
    await ripen(world)
    await reconcileNow(world)
    expect(await found()).toEqual([])
  })

  test('dies with the key in the session alone: its charge is known by the session, and is no orphan', async () => {
    const held = await acquire(world)
    await begin(world, held)
    await world.provider.control.paySession(await openSession(world, held))
    await killHolder(world, held)
    await ripen(world)
    await reconcileNow(world)
    expect((await found()).map((each) => each.class)).toEqual(['stuck_effect_done'])
  })

  test('is not called an orphan while its sessions cannot be read: the run says which right is missing', async () => {
    const held = await acquire(world)
    await begin(world, held)
    await world.provider.control.paySession(await openSession(world, held))
    world.provider.control.setSwitches({ denied: ['checkout/sessions'] })
    const run = await ripen(world)
    expect(run.outcome).toBe('incomplete')
    expect(run.counts.payments).toMatchObject({
      failures: [{ name: 'provider', message: expect.stringMatching(/'checkout\/sessions' permission/) }],
    })
    expect(await found()).toEqual([])
  })

  test('waits for a customer who has not paid yet', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const session = await openSession(world, held)
    await settle(world, held, session, 1050)
    await complete(world, held, { charge: session, reference: 'unpaid' })
    await ripen(world)
    expect(await found()).toEqual([{ class: 'status_lag', effectIds: [session] }])
    await world.provider.control.paySession(session)
    await ripen(world)
    expect((await found()).map((each) => each.class)).toEqual(['ledger_missing'])
  })
})

describe('authorisations', () => {
  /** A payment that is authorised under its key, and completed as such. */
  async function authorise(reference: string) {
    const paid = await pay(world, reference, { manual: true, amount: 1000 })
    const { payment_intent: intent } = await world.stripe.charges.retrieve(paid.charge)
    return { ...paid, intent: String(intent) }
  }

  test.each([
    ['now', undefined],
    ['before 2025-03-31', OLDER],
  ])(
    'a partial capture that is booked as captured agrees: its rest is no refund (%s)',
    async (_, options) => {
      const { intent, charge: id } = await authorise('partial')
      await world.stripe.paymentIntents.capture(intent, { amount_to_capture: 700 }, options)
      await book(world, { ref: id, reference: 'partial', amount: 700 })
      await ripen(world)
      expect(await found()).toEqual([])
    },
  )

  test('a partial capture is refunded beside its release: only what was given back has to be booked', async () => {
    const { intent, charge: id } = await authorise('both')
    await world.stripe.paymentIntents.capture(intent, { amount_to_capture: 700 }, OLDER)
    await book(world, { ref: id, reference: 'both', amount: 700 })
    const refund = await world.stripe.refunds.create({ charge: id, amount: 300 })
    await ripen(world)
    expect(await found()).toEqual([{ class: 'refund_unbooked', effectIds: [refund.id] }])
  })

  test('several captures agree with as many postings, also while more may come', async () => {
    const { intent, charge: id } = await authorise('several')
    await world.stripe.paymentIntents.capture(intent, { amount_to_capture: 300, final_capture: false })
    await book(world, { ref: id, reference: 'several', amount: 300 })
    await ripen(world)
    expect(await found()).toEqual([])
    await world.stripe.paymentIntents.capture(intent, { amount_to_capture: 200 })
    await book(world, { ref: id, reference: 'several', amount: 200 })
    await ripen(world)
    expect(await found()).toEqual([])
  })

  test.each([
    ['now', undefined],
    ['before 2025-03-31', OLDER],
  ])('one that runs out or is canceled moved no money, whoever made it (%s)', async (_, options) => {
    const expired = await authorise('expired')
    const canceled = await authorise('canceled')
    const orphan = await charge(world, null, { reference: 'orphan', manual: true })
    const failed = await acquire(world)
    await charge(world, failed, { reference: 'failed', manual: true })
    await complete(world, failed, { reference: 'failed' }, { status: 500, state: 'F' })
    await ripen(world)
    expect(await found()).toEqual([])
    await world.provider.control.expireAuthorisation(expired.intent, options?.apiVersion)
    await world.stripe.paymentIntents.cancel(canceled.intent, {}, options)
    const { payment_intent: intent } = await world.stripe.charges.retrieve(orphan)
    await world.stripe.paymentIntents.cancel(String(intent), {}, options)
    await ripen(world)
    expect(await found()).toEqual([])
  })

  test('one that was booked and then released has to be reversed in the books', async () => {
    const { intent, charge: id } = await authorise('booked')
    await book(world, { ref: id, reference: 'booked', amount: 1000 })
    await ripen(world)
    expect((await found()).map((each) => each.class)).toEqual(['status_lag'])
    await world.stripe.paymentIntents.cancel(intent)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'reversed_after_post', effectIds: [id] }])
  })

  test.each([
    ['nobody booked yet', async () => {}],
    [
      'was booked while the provider still listed it as authorised',
      (id: string) => book(world, { ref: id, reference: 'late', amount: 1000 }),
    ],
  ])('one that is captured an hour later and %s is no break before its grace ends', async (_, bookIt) => {
    const { intent, charge: id } = await authorise('late')
    await ripen(world)
    world.advance(3_600_000)
    await world.stripe.paymentIntents.capture(intent)
    await bookIt(id)
    await reconcileNow(world)
    expect(await found()).toEqual([])
    world.advance(6_000)
    await reconcileNow(world)
    expect(await found()).toEqual([])
  })

  test('one that is captured an hour later and that nobody books is a break once its grace has ended', async () => {
    const { intent, charge: id } = await authorise('unbooked')
    world.advance(3_600_000)
    await world.stripe.paymentIntents.capture(intent)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'ledger_missing', effectIds: [id] }])
  })

  test('a dead holder whose authorisation was released since is for a person: done it is not, nor absent', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const id = await charge(world, held, { reference: 'released', manual: true })
    await killHolder(world, held)
    const { payment_intent: intent } = await world.stripe.charges.retrieve(id)
    await world.stripe.paymentIntents.cancel(String(intent))
    await ripen(world)
    expect(await found()).toEqual([{ class: 'stuck_unknown', effectIds: [id] }])
  })

  test('cards that were declined before the one that paid are no effects', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const intent = await world.stripe.paymentIntents.create({ amount: 1050, currency: 'usd' })
    for (let n = 0; n < 3; n++) {
      await world.stripe.paymentIntents
        .confirm(intent.id, { payment_method: 'pm_card_chargeDeclined' })
        .catch(() => undefined)
    }
    await world.stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
    await settle(world, held, intent.id, 1050)
    await book(world, { ref: intent.id, reference: 'declined' })
    await complete(world, held, { charge: intent.id, reference: 'declined' })
    await ripen(world)
    expect(await found()).toEqual([])
  })
})

describe('what changes later', () => {
  const disputed = async () =>
    (await listCases(world.system.db, { class: ['dispute_unbooked'] }, { limit: 50 })).items
      .filter(({ lifecycle }) => lifecycle !== 'resolved')
      .map(({ amount }) => amount?.minor)
      .sort()

  test('a fee that is known once an asynchronous capture settled is compared then', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const intent = await world.stripe.paymentIntents.create({
      amount: 1050,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_visa',
      capture_method: 'automatic_async',
      metadata: { idempotency_scope: held.scope, idempotency_key: held.key, idempotency_step: 'charge' },
    })
    const id = String(intent.latest_charge)
    await settle(world, held, id, 1050)
    await book(world, { ref: id, reference: 'late-fee' })
    await world.service.query(
      `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
       VALUES ('fee', $1, $1, 'late-fee', 61, 'USD')`,
      [id],
    )
    await complete(world, held, { charge: id, reference: 'late-fee' })
    await ripen(world)
    expect(await found()).toEqual([])
    world.advance(1_200_000)
    await world.provider.control.settleCharge(id)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'fee_variance', effectIds: [id] }])
  })

  test('a refund that fails days later is found by its event', async () => {
    const paid = await pay(world, 'returned')
    const { refund } = await giveBack(world, paid)
    await ripen(world)
    expect(await found()).toEqual([])
    world.advance(4 * 86_400_000)
    await world.provider.control.failRefund(refund)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'refund_failed', effectIds: [refund] }])
  })

  test('two disputes of one charge are two', async () => {
    const paid = await pay(world, 'disputed')
    await world.provider.control.disputeCharge(paid.charge, { amount: 400 })
    await world.provider.control.disputeCharge(paid.charge, { amount: 650 })
    await ripen(world)
    expect(await disputed()).toEqual(['400', '650'])
  })

  test('an inquiry takes no money until it becomes a dispute; won, it gives it back', async () => {
    const paid = await pay(world, 'asked')
    await world.provider.control.disputeCharge(paid.charge, { amount: 100, inquiry: true })
    await ripen(world)
    expect(await disputed()).toEqual([])
    world.advance(6 * 86_400_000)
    await world.provider.control.escalateInquiry(paid.charge)
    world.advance(6_000)
    await reconcileNow(world)
    // Its booking may still come.
    expect(await disputed()).toEqual([])
    await ripen(world)
    expect(await disputed()).toEqual(['1050'])
    await world.provider.control.decideDispute(paid.charge, 'won')
    await ripen(world)
    expect(await disputed()).toEqual([])
  })

  test('events of another API version are followed by reading what they name', async () => {
    world.provider.control.setSwitches({ eventVersion: '2014-12-22' })
    const paid = await pay(world, 'older-account')
    await ripen(world)
    expect(await found()).toEqual([])
    await world.provider.control.failCharge(paid.charge)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'reversed_after_post', effectIds: [paid.charge] }])
  })
})

describe('an object that cannot be read', () => {
  test('is named on the run, and everything beside it is compared', async () => {
    const odd = await pay(world, 'odd')
    const lost = await pay(world, 'lost', { skip: 'book' })
    world.provider.control.showAs(odd.charge, { currency: 'isk', amount: 505, amount_captured: 505 })
    await ripen(world)
    const run = await reconcileNow(world)
    const reason = '505 is not a whole number of minor units of ISK'
    expect(await found()).toEqual([
      { class: 'ledger_missing', effectIds: [lost.charge] },
      { class: 'unclassified', effectIds: [odd.charge] },
    ])
    expect(run.counts.payments).toMatchObject({
      incomplete: false,
      unreadable: { count: 1, examples: [{ id: odd.charge, reason }] },
    })
    expect((await listCases(world.system.db, { reference: 'odd' }, { limit: 5 })).items).toMatchObject([
      { amount: null, evidence: { unreadable: reason } },
    ])

    const shown = async () =>
      (await listSources(world.system.db)).find(({ kind }) => kind === 'provider')?.notUnderstood
    expect(await shown()).toMatchObject({ count: 1, latestId: odd.charge, latestReason: reason })

    await book(world, { ref: lost.charge, reference: 'lost' })
    expect((await reconcileNow(world)).outcome).toBe('with_warnings')
    world.provider.control.showAs(odd.charge, {})
    world.advance(600_000)
    await reconcileNow(world)
    expect((await reconcileNow(world)).outcome).toBe('reconciled')
    expect(await shown()).toBeNull()
    expect(await found()).toEqual([])
  })

  test('is no absence: its key is not called effect-free', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const id = await charge(world, held, { reference: 'odd-and-stuck' })
    world.provider.control.showAs(id, { amount: 10.5 })
    await killHolder(world, held)
    await ripen(world)
    expect(await found()).toEqual([{ class: 'unclassified', effectIds: [id] }])
  })

  test('of the other mode is a mode mix, not a missing charge', async () => {
    const held = await acquire(world)
    await begin(world, held)
    world.provider.control.setSwitches({ inLiveMode: ['ch_live1'] })
    await settle(world, held, 'ch_live1', 1050)
    await complete(world, held, { charge: 'ch_live1', reference: 'live' })
    await ripen(world)
    expect(await found()).toEqual([{ class: 'mode_mix', effectIds: ['ch_live1'] }])
  })
})

test('a right that the read key lacks is named, and makes the run incomplete, never green', async () => {
  await pay(world, 'denied')
  world.advance(6_000)
  world.provider.control.setSwitches({ denied: ['disputes'] })
  const run = await reconcileNow(world)
  expect(run.outcome).toBe('incomplete')
  expect(run.counts.payments).toMatchObject({
    failures: [{ name: 'provider', message: expect.stringMatching(/lacks a right.*'disputes'/) }],
  })
})
