import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { callOnce } from '@/lib/actions/execute'
import { approve } from '@/lib/reconcile/corrections/approve'
import { gather } from '@/lib/reconcile/corrections/execute/gather'
import { correctionSteps } from '@/lib/reconcile/corrections/execute/send'
import { propose } from '@/lib/reconcile/corrections/propose'
import { createCorrectionFixture, hashOf } from './correction-fixture'
import { acquire, book, charge, complete, giveBack, pay } from './payments'
import { REASON, ripen, SETTINGS } from './world'

const { world, proposer, approver, doubled, cases, proposeRefund, refundsOf, calm } =
  await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

const decide = (action: { id: string; evidenceHash: string | null }) =>
  approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
const openCases = async (reference: string) =>
  (await cases(reference)).filter(({ lifecycle }) => lifecycle !== 'resolved')
async function caseOf(reference: string, name: string) {
  const found = (await openCases(reference)).find((each) => each.class === name)
  if (found === undefined) throw new Error(`no ${name} of ${reference}`)
  return found
}
const backMinor = async (id: string) =>
  (await refundsOf(id))
    .filter(({ status }) => status === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0)

/** Sends the refund of every open case, again and again, for as long as the console offers one. */
async function sendAllOffered(reference: string): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await ripen(world)
    const offered = (await openCases(reference)).find(({ fixes }) => fixes.includes('refund'))
    if (offered === undefined) return
    expect(await decide(await proposeRefund(offered.id))).toMatchObject({ state: 'done' })
  }
}

/** A refund of 500 that failed, booked in the given parts. */
async function failed(reference: string, parts: number[], amount = 1050) {
  const paid = await pay(world, reference, { amount })
  const { refund } = await giveBack(world, paid, { amount: 500, skip: 'book' })
  for (const part of parts)
    await book(world, { kind: 'refund', ref: refund, charge: paid.charge, reference, amount: part })
  await world.provider.control.failRefund(refund)
  return paid
}

/** Parts of a refund that was booked and never sent. */
async function unsent(reference: string, parts: { amount: number; currency?: string }[]) {
  const paid = await pay(world, reference)
  for (const part of parts)
    await book(world, { kind: 'refund', ref: `re_${reference}`, charge: paid.charge, reference, ...part })
  return paid
}

describe('a refund that is sent again', () => {
  test('is of the amount that failed, not of the one that was booked for it', async () => {
    const paid = await failed('exponent', [50_000], 100_000)
    await sendAllOffered('exponent')
    expect(await backMinor(paid.charge)).toBe(500)
  })

  test('is whole and one, though it was booked in parts', async () => {
    const first = await failed('parts-failed', [300, 200])
    await sendAllOffered('parts-failed')
    expect(await backMinor(first.charge)).toBe(500)
    const second = await unsent('parts-unsent', [{ amount: 300 }, { amount: 200 }])
    await sendAllOffered('parts-unsent')
    expect(await backMinor(second.charge)).toBe(500)
  })

  test('is not sent in part: the rest could not be told from the whole', async () => {
    const paid = await failed('in-part', [500])
    await ripen(world)
    const { id } = await caseOf('in-part', 'refund_failed')
    for (const amountMinor of ['400', '600'])
      await expect(proposeRefund(id, { amountMinor })).rejects.toMatchObject({ code: 'unprocessable' })
    await sendAllOffered('in-part')
    expect(await backMinor(paid.charge)).toBe(500)
  })

  test('is not offered while its postings are in another currency, or seem to be one too many', async () => {
    const foreign = await unsent('foreign', [{ amount: 500, currency: 'JPY' }])
    const twice = await unsent('twice', [{ amount: 500 }, { amount: 500 }])
    await ripen(world)
    for (const reference of ['foreign', 'twice']) {
      const found = await caseOf(reference, 'refund_unsent')
      expect(found.fixes).toEqual(['reverse_ledger', 'ignore'])
      await expect(proposeRefund(found.id)).rejects.toMatchObject({ meta: { reason: 'not_offered' } })
    }
    expect(await backMinor(foreign.charge)).toBe(0)
    const { id } = await caseOf('twice', 'refund_unsent')
    const { rows } = await world.service.query(
      `SELECT entry_id::text FROM ledger_entry WHERE provider_ref = 're_twice' ORDER BY entry_id`,
    )
    const params = { entryId: rows[1].entry_id }
    const reversal = await propose(
      proposer,
      { caseId: id, kind: 'reverse_ledger', params, reason: REASON },
      SETTINGS,
    )
    expect(await decide(reversal)).toMatchObject({ state: 'done' })
    await sendAllOffered('twice')
    expect(await backMinor(twice.charge)).toBe(500)
  })

  test('does not close a smaller one of the same charge, and is not owed once more', async () => {
    const paid = await failed('two-owed', [500])
    await book(world, {
      kind: 'refund',
      ref: 're_two-owed',
      charge: paid.charge,
      reference: 'two-owed',
      amount: 300,
    })
    await sendAllOffered('two-owed')
    expect(
      (await refundsOf(paid.charge))
        .filter(({ status }) => status === 'succeeded')
        .map(({ amount }) => amount)
        .sort(),
    ).toEqual([300, 500])
    expect((await openCases('two-owed')).filter(({ fixes }) => fixes.includes('refund'))).toEqual([])
  })
})

describe('a duplicate is not refunded while the one that is kept may have been', () => {
  test('disputed at the bank: nothing leaves until the dispute is won', async () => {
    const { caseId, kept, duplicate, reference } = await doubled()
    const before = await proposeRefund(caseId)
    await world.provider.control.disputeCharge(kept)
    expect(await decide(before)).toMatchObject({ state: 'refused' })
    await expect(proposeRefund(caseId)).rejects.toMatchObject({ message: expect.stringContaining(kept) })
    await ripen(world)
    expect((await caseOf(reference, 'duplicate_same_key')).fixes).toEqual(['ignore'])
    expect(await backMinor(duplicate)).toBe(0)
    await world.provider.control.decideDispute(kept, 'won')
    expect(await decide(await proposeRefund(caseId))).toMatchObject({ state: 'done' })
  })

  /** An approved refund of the duplicate whose evidence was just read again. */
  async function aboutToCall() {
    const { caseId, kept, duplicate } = await doubled()
    const { id } = await proposeRefund(caseId)
    const { prisma } = world.system.db
    const action = await prisma.action.findUniqueOrThrow({ where: { id } })
    const row = await prisma.reconciliationCase.findUniqueOrThrow({ where: { id: caseId } })
    const gathered = await gather(world.system, row, SETTINGS)
    expect(gathered.hash).toBe(action.evidenceHash)
    return { kept, duplicate, action, gathered }
  }

  test('disputed between the evidence and the call: the charges are compared once more, and nothing leaves', async () => {
    const { kept, duplicate, action, gathered } = await aboutToCall()
    await world.provider.control.disputeCharge(kept)
    expect(await callOnce(world.system, correctionSteps(world.system, action, gathered))).toMatchObject({
      state: 'refused',
      result: { reason: 'money_changed', text: expect.stringContaining(`new dispute of ${kept}`) },
    })
    expect(await backMinor(duplicate)).toBe(0)
  })

  test('given back at the dashboard between the evidence and the call: nothing leaves', async () => {
    const { kept, duplicate, action, gathered } = await aboutToCall()
    await world.stripe.refunds.create({ charge: kept })
    expect(await callOnce(world.system, correctionSteps(world.system, action, gathered))).toMatchObject({
      state: 'refused',
      result: { reason: 'money_changed' },
    })
    expect(await backMinor(duplicate)).toBe(0)
  })

  test('where a person chooses: neither beside a dispute nor beside a refund that nothing explains', async () => {
    const held = await acquire(world, { scope: 'web/POST /v1/legacy-payments' })
    const reference = 'chosen'
    const one = await charge(world, held, { reference, providerKey: 'chosen-a' })
    const other = await charge(world, held, { reference, providerKey: 'chosen-b' })
    for (const ref of [one, other]) await book(world, { ref, reference })
    await complete(world, held, { reference, charge: one })
    const { id: part } = await world.stripe.refunds.create({ charge: one, amount: 1000 })
    await ripen(world)
    const { id } = await caseOf(reference, 'duplicate_same_key')
    await expect(proposeRefund(id, { charge: other })).rejects.toMatchObject({
      message: expect.stringContaining(part),
    })
    await world.provider.control.disputeCharge(one)
    await expect(proposeRefund(id, { charge: other })).rejects.toMatchObject({
      message: expect.stringContaining('dispute'),
    })
    expect(await backMinor(other)).toBe(0)
  })
})
