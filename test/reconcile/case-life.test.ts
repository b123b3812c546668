import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getCase, listCases } from '@/lib/reconcile/cases/cases'
import { closeCaseByHand } from '@/lib/reconcile/triage/close-by-hand'
import { acquire, begin, book, charge, complete, killHolder, pay } from './payments'
import { createWorld, REASON, reconcileNow, ripen, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const list = async (filter = {}) => (await listCases(world.system.db, filter, { limit: 200 })).items
const caseOf = async (reference: string) => (await list({ reference }))[0]

describe('the life of a case', () => {
  test('pending leaves no case behind when its cause is gone; a break opens, resolves with evidence, and reopens', async () => {
    const paid = await pay(world, 'life-1', { skip: 'book' })
    world.advance(6_000)
    const early = await reconcileNow(world)
    expect(early.outcome).toBe('with_pending')
    expect(early.counts.payments).toMatchObject({ byClass: { ledger_missing: { pending: 1, breaks: 0 } } })
    expect(await caseOf('life-1')).toBeUndefined()

    world.advance(20_000)
    expect((await reconcileNow(world)).outcome).toBe('breaks')
    expect(await caseOf('life-1')).toMatchObject({
      class: 'ledger_missing',
      lifecycle: 'new',
      outcome: 'break',
    })

    const entry = await book(world, { ref: paid.charge, reference: 'life-1' })
    expect((await reconcileNow(world)).outcome).toBe('reconciled')
    const resolved = await caseOf('life-1')
    expect(resolved).toMatchObject({ lifecycle: 'resolved', resolution: 'auto_resolved' })
    const detail = await getCase(world.system.db, resolved?.id ?? '')
    expect(detail.events.map(({ kind }) => kind)).toEqual(['resolved', 'opened'])
    expect(detail.events[0]?.data).toMatchObject({
      now: expect.arrayContaining([expect.objectContaining({ side: 'ledger' })]),
    })

    // The posting is reversed, which no cursor shows; the operation is looked at again because its charge changes.
    await world.service.query('UPDATE ledger_entry SET reversed_at = now() WHERE entry_id = $1', [entry])
    await world.stripe.refunds.create({
      charge: paid.charge,
      amount: 10,
      metadata: { idemscope_action: 'act_test' },
    })
    await ripen(world)
    expect(await caseOf('life-1')).toMatchObject({ class: 'ledger_missing', lifecycle: 'reopened' })
    await book(world, { ref: paid.charge, reference: 'life-1' })
    await reconcileNow(world)
  })

  test('a payment that was merely slow never becomes a case', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const id = await charge(world, held, { reference: 'slow' })
    await killHolder(world, held)
    world.advance(6_000)
    expect((await reconcileNow(world)).outcome).toBe('with_pending')
    await book(world, { ref: id, reference: 'slow' })
    await complete(world, held, { reference: 'slow', charge: id })
    world.advance(20_000)
    expect((await reconcileNow(world)).outcome).toBe('reconciled')
    expect(await caseOf('slow')).toBeUndefined()
  })

  test('what a person closed stays closed, until its evidence is another', async () => {
    const paid = await pay(world, 'by-hand', { skip: 'book' })
    await ripen(world)
    const open = await caseOf('by-hand')
    await closeCaseByHand(await world.as('operator'), { caseId: open?.id ?? '', reason: REASON })
    await reconcileNow(world)
    expect(await caseOf('by-hand')).toMatchObject({
      lifecycle: 'resolved',
      resolution: 'by_hand',
      evidenceHash: open?.evidenceHash,
    })
    await world.stripe.refunds.create({
      charge: paid.charge,
      amount: 10,
      metadata: { idemscope_action: 'act_test' },
    })
    await ripen(world)
    expect(await caseOf('by-hand')).toMatchObject({
      lifecycle: expect.stringMatching(/reopened/),
      class: 'ledger_missing',
    })
    await book(world, { ref: paid.charge, reference: 'by-hand' })
    await reconcileNow(world)
    const entries = await world.system.db.prisma.auditEntry.findMany({ where: { verb: 'case.close' } })
    expect(entries.map(({ subject, reason }) => ({ subject, reason }))).toEqual([
      { subject: open?.id, reason: REASON },
    ])
  })

  test('a posting that the service reverses itself resolves its case, though no cursor shows it', async () => {
    const paid = await pay(world, 'self-reversed')
    await reconcileNow(world)
    await world.provider.control.failCharge(paid.charge)
    await ripen(world)
    expect(await caseOf('self-reversed')).toMatchObject({ class: 'reversed_after_post', outcome: 'break' })
    await world.service.query(
      `UPDATE ledger_entry SET reversed_at = now(), booked_at = booked_at - interval '1 day' WHERE provider_ref = $1`,
      [paid.charge],
    )
    world.advance(120_000)
    await reconcileNow(world)
    // Told of a success that came to nothing: that is still so, and still the same case.
    expect(await caseOf('self-reversed')).toMatchObject({
      class: 'done_but_no_effect',
      lifecycle: 'persisting',
    })
    const open = await caseOf('self-reversed')
    await closeCaseByHand(await world.as('operator'), { caseId: open?.id ?? '', reason: REASON })
  })

  test('the class changes, the case stays', async () => {
    const held = await acquire(world)
    await killHolder(world, held)
    await ripen(world)
    const stuck = (await list({ key: held.key }))[0]
    expect(stuck).toMatchObject({ class: 'stuck_no_effect' })
    const id = await charge(world, held, { reference: 'late' })
    await ripen(world)
    const done = (await list({ key: held.key }))[0]
    expect(done).toMatchObject({ id: stuck?.id, class: 'stuck_effect_done', firstSeen: stuck?.firstSeen })
    await world.service.query(`DELETE FROM idem_lease WHERE key = idem_key_bytes($1)`, [held.key])
    await book(world, { ref: id, reference: 'late' })
    await ripen(world)
    expect((await list({ key: held.key }))[0]).toMatchObject({ id: stuck?.id, lifecycle: 'resolved' })
  })
})
