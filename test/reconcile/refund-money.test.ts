import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { callOnce } from '@/lib/actions/execute'
import { approve } from '@/lib/reconcile/corrections/approve'
import { gather } from '@/lib/reconcile/corrections/execute/gather'
import { correctionSteps } from '@/lib/reconcile/corrections/execute/send'
import { propose } from '@/lib/reconcile/corrections/propose'
import { createCorrectionFixture, hashOf } from './correction-fixture'
import { book, giveBack, pay } from './payments'
import { REASON, reconcileNow, ripen, SETTINGS } from './world'

const { world, proposer, approver, doubled, cases, proposeRefund, refundsOf, calm } =
  await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

const decide = (action: { id: string; evidenceHash: string | null }) =>
  approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
const fix = (caseId: string, kind: 'reverse_ledger' | 'book_refund') =>
  propose(proposer, { caseId, kind, reason: REASON }, SETTINGS)
const openCases = async (reference: string) =>
  (await cases(reference)).filter(({ lifecycle }) => lifecycle !== 'resolved')
async function onlyCase(reference: string) {
  const [found, ...others] = await openCases(reference)
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} cases of ${reference}`)
  return found
}
const liveMinor = async (charge: string) =>
  (await refundsOf(charge))
    .filter(({ status }) => status === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0)
const resendAtDashboard = (charge: string, amount = 500) => world.stripe.refunds.create({ charge, amount })

/** 500 of 1050 were given back and booked; then the bank sent them back. */
async function failedRefund(reference: string) {
  const paid = await pay(world, reference)
  const { refund } = await giveBack(world, paid)
  await world.provider.control.failRefund(refund)
  return { ...paid, refund }
}

describe('a refund that failed', () => {
  test('sent again at the dashboard after it was proposed: the approval is refused and nothing more leaves', async () => {
    const { charge } = await failedRefund('failed-a')
    await ripen(world)
    const action = await proposeRefund((await onlyCase('failed-a')).id)
    await resendAtDashboard(charge)
    expect(await decide(action)).toMatchObject({ state: 'refused' })
    expect(await liveMinor(charge)).toBe(500)
  })

  test('sent again between the evidence and the call: the provider is read once more, and nothing leaves', async () => {
    const { charge } = await failedRefund('failed-late')
    await ripen(world)
    const action = await proposeRefund((await onlyCase('failed-late')).id)
    const { prisma } = world.system.db
    const row = await prisma.action.findUniqueOrThrow({ where: { id: action.id } })
    const found = await prisma.reconciliationCase.findUniqueOrThrow({ where: { id: row.caseId ?? '' } })
    const gathered = await gather(world.system, found, SETTINGS)
    expect(gathered.hash).toBe(row.evidenceHash)
    await resendAtDashboard(charge)
    expect(await callOnce(world.system, correctionSteps(world.system, row, gathered))).toMatchObject({
      state: 'refused',
      result: { reason: 'money_changed' },
    })
    expect(await liveMinor(charge)).toBe(500)
  })

  test('sent again where the list of refunds does not show it yet: the charge tells, and nothing leaves', async () => {
    const { charge } = await failedRefund('failed-unlisted')
    await ripen(world)
    const action = await proposeRefund((await onlyCase('failed-unlisted')).id)
    const { prisma } = world.system.db
    const data = { state: 'executing', executedAt: world.system.clock.now() }
    const row = await prisma.action.update({ where: { id: action.id }, data })
    const found = await prisma.reconciliationCase.findUniqueOrThrow({ where: { id: row.caseId ?? '' } })
    const gathered = await gather(world.system, found, SETTINGS)
    const [open] = gathered.sources.providers
    if (open === undefined) throw new Error('there is a provider')
    const listed = await open.source.refundsOfCharge(charge)
    await resendAtDashboard(charge)
    const source = { ...open.source, refundsOfCharge: async () => listed }
    const late = { ...gathered, sources: { ...gathered.sources, providers: [{ ...open, source }] } }
    expect(await callOnce(world.system, correctionSteps(world.system, row, late))).toMatchObject({
      state: 'refused',
      result: { reason: 'money_changed' },
    })
    expect(await liveMinor(charge)).toBe(500)
  })

  test('sent again at the dashboard before it was proposed: nothing is offered, and the posting gets the right id', async () => {
    const { charge, refund } = await failedRefund('failed-b')
    await ripen(world)
    const failed = await onlyCase('failed-b')
    const { id } = await resendAtDashboard(charge)
    await expect(proposeRefund(failed.id)).rejects.toMatchObject({ code: 'conflict' })
    await ripen(world)
    const unbooked = await onlyCase('failed-b')
    expect(unbooked).toMatchObject({
      class: 'refund_unbooked',
      fixes: ['reverse_ledger', 'ignore'],
      notOffered: [{ kind: 'book_refund', reason: expect.stringContaining(refund) }],
      evidence: {
        money: [
          {
            charge,
            captured: { minor: '1050' },
            refunded: { minor: '500' },
            left: { minor: '550' },
            owed: [{ id: refund, why: 'failed', answeredBy: id }],
          },
        ],
      },
    })
    expect(await decide(await fix(unbooked.id, 'reverse_ledger'))).toMatchObject({ state: 'done' })
    await ripen(world)
    const plain = await onlyCase('failed-b')
    expect(plain.fixes).toContain('book_refund')
    expect(await decide(await fix(plain.id, 'book_refund'))).toMatchObject({ state: 'done' })
    await ripen(world)
    expect(await openCases('failed-b')).toEqual([])
    const { rows } = await world.service.query(
      `SELECT provider_ref FROM ledger_entry
       WHERE charge_ref = $1 AND entry_kind = 'refund' AND reversed_at IS NULL`,
      [charge],
    )
    expect(rows).toEqual([{ provider_ref: id }])
    expect(await liveMinor(charge)).toBe(500)
  })

  test('sent again by the service itself, which moved its posting: recognised, no case is left', async () => {
    const paid = await failedRefund('failed-own')
    await world.service.query(`UPDATE ledger_entry SET reversed_at = now() WHERE provider_ref = $1`, [
      paid.refund,
    ])
    await giveBack(world, paid)
    await ripen(world)
    expect(await openCases('failed-own')).toEqual([])
    expect(await liveMinor(paid.charge)).toBe(500)
  })

  test('sent again by the service, and both are booked: no money is offered, the wrong posting is reversed', async () => {
    const paid = await failedRefund('failed-twice')
    await giveBack(world, paid)
    await ripen(world)
    const found = await onlyCase('failed-twice')
    expect(found).toMatchObject({ class: 'refund_failed', fixes: ['reverse_ledger', 'ignore'] })
    expect(found.notOffered).toMatchObject([{ kind: 'refund' }])
    await expect(proposeRefund(found.id)).rejects.toMatchObject({
      code: 'unprocessable',
      meta: { reason: 'not_offered' },
    })
    expect(await decide(await fix(found.id, 'reverse_ledger'))).toMatchObject({ state: 'done' })
    expect(await openCases('failed-twice')).toEqual([])
    expect(await liveMinor(paid.charge)).toBe(500)
  })

  test('of a correction of ours: the last attempt alone is owed', async () => {
    const { charge, refund } = await failedRefund('failed-ours')
    await ripen(world)
    const first = await onlyCase('failed-ours')
    const done = await decide(await proposeRefund(first.id))
    const again = (done.result as { refund: string }).refund
    await world.provider.control.failRefund(again)
    await ripen(world)
    const second = await onlyCase('failed-ours')
    expect(second.subject.effectIds).toEqual([again])
    expect(await decide(await proposeRefund(second.id))).toMatchObject({ state: 'done' })
    await ripen(world)
    expect(await openCases('failed-ours')).toEqual([])
    expect(await liveMinor(charge)).toBe(500)
    expect(refund).not.toBe(again)
  })
})

describe('a refund that was booked under an id of the service’s own', () => {
  test('and really sent: the live refund is the answer, and no second one leaves', async () => {
    const paid = await pay(world, 'unsent-c')
    const entry = { kind: 'refund', charge: paid.charge, reference: 'unsent-c', amount: 300 } as const
    await book(world, { ...entry, ref: 're_provisional' })
    const { refund } = await giveBack(world, paid, { amount: 300, skip: 'book' })
    await ripen(world)
    const found = await onlyCase('unsent-c')
    expect(found).toMatchObject({
      class: 'refund_unbooked',
      subject: { effectIds: [refund] },
      fixes: ['reverse_ledger', 'ignore'],
    })
    await expect(proposeRefund(found.id)).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await decide(await fix(found.id, 'reverse_ledger'))).toMatchObject({ state: 'done' })
    await ripen(world)
    expect((await onlyCase('unsent-c')).fixes).toEqual(['book_refund', 'ignore'])
    expect(await liveMinor(paid.charge)).toBe(300)
  })

  test('and sent and booked again by a retry: nothing is sent, the first posting is reversed', async () => {
    const paid = await pay(world, 'unsent-retry')
    const entry = { kind: 'refund', charge: paid.charge, reference: 'unsent-retry', amount: 300 } as const
    await book(world, { ...entry, ref: 're_first_try' })
    await giveBack(world, paid, { amount: 300 })
    await ripen(world)
    const found = await onlyCase('unsent-retry')
    expect(found).toMatchObject({ class: 'refund_unsent', fixes: ['reverse_ledger', 'ignore'] })
    expect(await decide(await fix(found.id, 'reverse_ledger'))).toMatchObject({ state: 'done' })
    await ripen(world)
    expect(await openCases('unsent-retry')).toEqual([])
  })

  test('while another refund of the charge may be a part of it, explained or not, none is sent', async () => {
    const paid = await pay(world, 'unsent-other')
    const entry = { kind: 'refund', charge: paid.charge, reference: 'unsent-other', amount: 300 } as const
    await book(world, { ...entry, ref: 're_not_sent' })
    const other = await resendAtDashboard(paid.charge, 200)
    await ripen(world)
    const found = (await openCases('unsent-other')).find((each) => each.class === 'refund_unsent')
    expect(found?.notOffered).toMatchObject([{ kind: 'refund', reason: expect.stringContaining(other.id) }])
    await book(world, { ...entry, ref: other.id, amount: 200 })
    await ripen(world)
    await expect(proposeRefund(found?.id ?? '')).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('only a person can tell'),
    })
    expect(await liveMinor(paid.charge)).toBe(200)
    // What a person decides: it was meant beside it, and is sent at the provider's dashboard.
    await resendAtDashboard(paid.charge, 300)
    await ripen(world)
    expect((await openCases('unsent-other')).map((each) => each.class)).toEqual(['refund_unbooked'])
  })
})

describe('a charge that the customer’s bank claims', () => {
  test('a disputed duplicate is not offered for refund, and the case says why', async () => {
    const { caseId, duplicate, reference } = await doubled()
    await world.provider.control.disputeCharge(duplicate)
    await expect(proposeRefund(caseId)).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('dispute'),
    })
    await ripen(world)
    const found = (await openCases(reference)).find(({ id }) => id === caseId)
    expect(found?.fixes).toEqual(['ignore'])
    expect(found?.notOffered).toMatchObject([
      { kind: 'refund', reason: expect.stringContaining('The customer') },
    ])
    expect(found?.evidence).toMatchObject({
      money: expect.arrayContaining([
        expect.objectContaining({
          charge: duplicate,
          disputes: [expect.objectContaining({ status: 'pending' })],
        }),
      ]),
    })
    expect(await refundsOf(duplicate)).toEqual([])
  })

  test('disputed after it was proposed: refused; won since: refunded', async () => {
    const { caseId, duplicate } = await doubled()
    const action = await proposeRefund(caseId)
    await world.provider.control.disputeCharge(duplicate)
    expect(await decide(action)).toMatchObject({ state: 'refused' })
    await expect(proposeRefund(caseId)).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await refundsOf(duplicate)).toEqual([])
    await world.provider.control.decideDispute(duplicate, 'won')
    expect(await decide(await proposeRefund(caseId))).toMatchObject({ state: 'done' })
  })
})

test('a kept charge that support gave back in part: the duplicate waits until that is explained', async () => {
  const { caseId, kept, duplicate } = await doubled()
  const part = await resendAtDashboard(kept, 400)
  await expect(proposeRefund(caseId)).rejects.toMatchObject({ message: expect.stringContaining(part.id) })
  await reconcileNow(world)
  expect(await refundsOf(duplicate)).toEqual([])
})

test('a duplicate that support gave back in part: the rest is sent by a person, or not at all', async () => {
  const { caseId, duplicate, reference } = await doubled()
  const part = await resendAtDashboard(duplicate, 400)
  await expect(proposeRefund(caseId)).rejects.toMatchObject({ message: expect.stringContaining(part.id) })
  await reconcileNow(world)
  const found = (await openCases(reference)).find(({ id }) => id === caseId)
  expect(found?.notOffered).toMatchObject([{ kind: 'refund', reason: expect.stringContaining(part.id) }])
  expect(await liveMinor(duplicate)).toBe(400)
  await resendAtDashboard(duplicate, 650)
  await ripen(world)
  expect((await openCases(reference)).find(({ id }) => id === caseId)).toBeUndefined()
})
