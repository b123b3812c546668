import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { approve } from '@/lib/reconcile/corrections/approve'
import { propose } from '@/lib/reconcile/corrections/propose'
import { createCorrectionFixture, hashOf } from './correction-fixture'
import { book, giveBack, type Paid, pay } from './payments'
import { REASON, ripen, SETTINGS } from './world'

/** Two refunds of one charge, or one sent again in parts: which of them is the other's answer, and which is missing. */

const { world, proposer, approver, cases, proposeRefund, refundsOf, calm } = await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

const decide = async (action: { id: string; evidenceHash: string | null }) =>
  expect(
    await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
  ).toMatchObject({
    state: 'done',
  })
const fix = async (caseId: string, kind: 'reverse_ledger' | 'book_refund') =>
  decide(await propose(proposer, { caseId, kind, reason: REASON }, SETTINGS))
async function openCases(reference: string) {
  await ripen(world)
  return (await cases(reference)).filter(({ lifecycle }) => lifecycle !== 'resolved')
}
async function onlyCase(reference: string) {
  const [found, ...others] = await openCases(reference)
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} cases of ${reference}`)
  return found
}
const backMinor = async (charge: string) =>
  (await refundsOf(charge))
    .filter(({ status }) => status === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0)
const atDashboard = async ({ charge }: Paid, amount = 500) =>
  (await world.stripe.refunds.create({ charge, amount })).id
const bookRefund = ({ charge, reference }: Paid, ref: string, amount = 500) =>
  book(world, { kind: 'refund', ref, charge, reference, amount })
const fail = (refund: string) => world.provider.control.failRefund(refund)
/** The provider's clock has whole seconds. */
const later = () => world.advance(5_000)

describe('two equal refunds, of which the first fails after the second was made', () => {
  test('both by the service, both booked: one is missing, and is sent', async () => {
    const paid = await pay(world, 'both-meant', { amount: 2000 })
    const { refund } = await giveBack(world, paid)
    later()
    await giveBack(world, paid)
    later()
    await fail(refund)
    const found = await onlyCase('both-meant')
    expect(found).toMatchObject({ class: 'refund_failed', subject: { effectIds: [refund] } })
    await decide(await proposeRefund(found.id))
    expect(await openCases('both-meant')).toEqual([])
    expect(await backMinor(paid.charge)).toBe(1000)
  })

  test('both by the service, the second not booked: it is booked, then the missing one is sent', async () => {
    const paid = await pay(world, 'second-lost', { amount: 2000 })
    const { refund } = await giveBack(world, paid)
    later()
    await giveBack(world, paid, { skip: 'book' })
    later()
    await fail(refund)
    const open = await openCases('second-lost')
    expect(open.map((each) => each.class).sort()).toEqual(['refund_failed', 'refund_unbooked'])
    const [failed, unbooked] = ['refund_failed', 'refund_unbooked'].map(
      (name) => open.find((each) => each.class === name)?.id ?? '',
    ) as [string, string]
    await expect(proposeRefund(failed)).rejects.toMatchObject({ meta: { reason: 'not_offered' } })
    await fix(unbooked, 'book_refund')
    const found = await onlyCase('second-lost')
    await decide(await proposeRefund(found.id))
    expect(await openCases('second-lost')).toEqual([])
    expect(await backMinor(paid.charge)).toBe(1000)
  })

  test('the second at the dashboard, one posting: it is the answer, and no third one leaves', async () => {
    const paid = await pay(world, 'one-posting', { amount: 2000 })
    const { refund } = await giveBack(world, paid)
    later()
    const second = await atDashboard(paid)
    later()
    await fail(refund)
    const found = await onlyCase('one-posting')
    expect(found).toMatchObject({ class: 'refund_unbooked', subject: { effectIds: [second] } })
    expect(found.fixes).toEqual(['reverse_ledger', 'ignore'])
    await fix(found.id, 'reverse_ledger')
    await fix((await onlyCase('one-posting')).id, 'book_refund')
    expect(await openCases('one-posting')).toEqual([])
    expect(await backMinor(paid.charge)).toBe(500)
  })

  test('the second at the dashboard, booked on its own: a person is asked, and either answer is recognised', async () => {
    const [replaced, beside] = await Promise.all(
      ['asked-replaced', 'asked-beside'].map((reference) => pay(world, reference, { amount: 2000 })),
    )
    if (replaced === undefined || beside === undefined) throw new Error('not paid')
    for (const paid of [replaced, beside]) {
      const { refund } = await giveBack(world, paid)
      later()
      await bookRefund(paid, await atDashboard(paid))
      later()
      await fail(refund)
    }
    for (const { reference } of [replaced, beside]) {
      const found = await onlyCase(reference)
      expect(found).toMatchObject({ class: 'refund_failed', fixes: ['reverse_ledger', 'ignore'] })
      expect(found.notOffered).toMatchObject([
        { kind: 'refund', reason: expect.stringContaining('only a person can tell') },
      ])
      await expect(proposeRefund(found.id)).rejects.toMatchObject({ meta: { reason: 'not_offered' } })
    }
    await fix((await onlyCase(replaced.reference)).id, 'reverse_ledger')
    expect(await openCases(replaced.reference)).toEqual([])
    expect(await backMinor(replaced.charge)).toBe(500)
    await atDashboard(beside)
    await fix((await onlyCase(beside.reference)).id, 'reverse_ledger')
    await fix((await onlyCase(beside.reference)).id, 'book_refund')
    expect(await openCases(beside.reference)).toEqual([])
    expect(await backMinor(beside.charge)).toBe(1000)
  })
})

describe('a refund of 500 that failed', () => {
  async function failed(reference: string) {
    const paid = await pay(world, reference, { amount: 2000 })
    const { refund } = await giveBack(world, paid)
    later()
    await fail(refund)
    later()
    return paid
  }

  test('sent again by the service as 300 and 200, both booked: never offered again, its posting is reversed', async () => {
    const paid = await failed('parts-booked')
    for (const amount of [300, 200]) await giveBack(world, paid, { amount })
    const found = await onlyCase('parts-booked')
    expect(found).toMatchObject({ class: 'refund_failed', fixes: ['reverse_ledger', 'ignore'] })
    await expect(proposeRefund(found.id)).rejects.toMatchObject({ meta: { reason: 'not_offered' } })
    await fix(found.id, 'reverse_ledger')
    expect(await openCases('parts-booked')).toEqual([])
    expect(await backMinor(paid.charge)).toBe(500)
  })

  test('sent again at the dashboard as 300 and 200: the posting is reversed, then both are booked', async () => {
    const paid = await failed('parts-free')
    for (const amount of [300, 200]) await atDashboard(paid, amount)
    const [first, second] = await openCases('parts-free')
    expect([first?.class, second?.class]).toEqual(['refund_unbooked', 'refund_unbooked'])
    await fix(first?.id ?? '', 'reverse_ledger')
    for (const { id } of await openCases('parts-free')) await fix(id, 'book_refund')
    expect(await openCases('parts-free')).toEqual([])
    expect(await backMinor(paid.charge)).toBe(500)
  })

  test('of which 300 were sent again so far: nothing is offered; with the other 200 it is answered', async () => {
    const paid = await failed('parts-one')
    await giveBack(world, paid, { amount: 300 })
    const found = await onlyCase('parts-one')
    expect(found.notOffered).toMatchObject([
      { kind: 'refund', reason: expect.stringContaining('only a person can tell') },
    ])
    await giveBack(world, paid, { amount: 200 })
    await fix((await onlyCase('parts-one')).id, 'reverse_ledger')
    expect(await openCases('parts-one')).toEqual([])
    expect(await backMinor(paid.charge)).toBe(500)
  })

  test('sent again in parts after it was proposed: the approval is refused', async () => {
    const paid = await failed('parts-late')
    const action = await proposeRefund((await onlyCase('parts-late')).id)
    await giveBack(world, paid, { amount: 300 })
    const ended = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(ended).toMatchObject({ state: 'refused' })
    expect(await backMinor(paid.charge)).toBe(300)
  })
})
