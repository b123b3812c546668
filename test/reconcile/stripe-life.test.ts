import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases'
import { acquire, begin, book, chargeByIntent, complete, killHolder, openSession, settle } from './payments'
import { createWorld, reconcileNow, ripen, type World } from './world'

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
