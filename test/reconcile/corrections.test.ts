import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import { listCases } from '@/lib/reconcile/cases'
import { approve } from '@/lib/reconcile/corrections/approve'
import { executeCorrection } from '@/lib/reconcile/corrections/execute'
import { propose } from '@/lib/reconcile/corrections/propose'
import { reject } from '@/lib/reconcile/corrections/reject'
import { settleCorrections } from '@/lib/reconcile/corrections/settle'
import { acquire, book, charge, complete, giveBack, pay } from './payments'
import { createWorld, REASON, reconcileNow, SETTINGS, type World } from './world'

let world: World
let proposer: Awaited<ReturnType<World['as']>>
let approver: Awaited<ReturnType<World['as']>>

beforeAll(async () => {
  world = await createWorld()
  proposer = await world.as('operator', 'op')
  approver = await world.as('approver', 'appr')
})
afterAll(() => world.close())
beforeEach(() =>
  world.provider.control.setSwitches({
    rateLimit: { remaining: 0, retryAfterS: 0 },
    serverError: { remaining: 0, effect: 'before' },
  }),
)

let serial = 0
/** A key charged twice, of which record and ledger name the first. */
async function doubled() {
  serial += 1
  const reference = `double-${serial}`
  const held = await acquire(world, { scope: 'web/POST /v1/legacy-payments' })
  const kept = await charge(world, held, { reference, providerKey: `${reference}-a` })
  const surplus = await charge(world, held, { reference, providerKey: `${reference}-b` })
  await book(world, { ref: kept, reference })
  await complete(world, held, { reference, charge: kept })
  return { ...(await openCase(reference)), kept, surplus, reference }
}

async function openCase(reference: string) {
  world.advance(6_000)
  await reconcileNow(world)
  world.advance(20_000)
  await reconcileNow(world)
  const [found] = await cases(reference)
  if (found === undefined) throw new Error(`no case of ${reference}`)
  return { caseId: found.id }
}

const cases = async (reference: string) =>
  (await listCases(world.system.db, { reference }, { limit: 10 })).items
const proposeRefund = (caseId: string, params = {}) =>
  propose(proposer, { caseId, kind: 'refund', params, reason: REASON }, SETTINGS)
const refundsOf = async (id: string) => (await world.stripe.refunds.list({ charge: id, limit: 100 })).data
const hashOf = (action: { evidenceHash: string | null }) => action.evidenceHash ?? ''

describe('a refund', () => {
  test('proposed by one, approved by another, leaves exactly one refund, of the surplus, and closes the case', async () => {
    const { caseId, kept, surplus, reference } = await doubled()
    const action = await proposeRefund(caseId)
    expect(action).toMatchObject({
      state: 'proposed',
      charge: surplus,
      amount: { minor: '1050', currency: 'USD' },
    })
    expect(await refundsOf(surplus)).toHaveLength(0)
    const done = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(done.state).toBe('done')
    const refunds = await refundsOf(surplus)
    expect(refunds.map(({ amount, metadata }) => ({ amount, action: metadata?.idemscope_action }))).toEqual([
      { amount: 1050, action: action.id },
    ])
    expect(await refundsOf(kept)).toHaveLength(0)
    expect(await cases(reference)).toMatchObject([{ lifecycle: 'resolved', resolution: 'corrected' }])
    await reconcileNow(world)
    world.advance(30_000)
    await reconcileNow(world)
    expect(await cases(reference)).toHaveLength(1)
    expect(await cases(reference)).toMatchObject([{ lifecycle: 'resolved' }])
    const audit = await world.system.db.prisma.auditEntry.findMany({
      where: { subject: action.id },
      orderBy: { id: 'asc' },
    })
    expect(audit.map(({ outcome }) => outcome)).toEqual(['proposed', 'approved', 'intent', 'done'])
  })

  test('is refused to the proposer, to operators, and on other evidence', async () => {
    const { caseId } = await doubled()
    const both = await world.as('approver', 'both')
    const action = await propose(both, { caseId, kind: 'refund', reason: REASON }, SETTINGS)
    const decide = (ctx: typeof both, evidenceHash = hashOf(action)) =>
      approve(ctx, { actionId: action.id, evidenceHash }, SETTINGS)
    await expect(decide(both)).rejects.toMatchObject({ code: 'forbidden', meta: { reason: 'four_eyes' } })
    await expect(decide(proposer)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(decide(approver, 'f'.repeat(64))).rejects.toMatchObject({
      meta: { reason: 'stale_evidence' },
    })
    await expect(proposeRefund(caseId)).rejects.toMatchObject({ code: 'conflict' })
    expect(await reject(approver, { actionId: action.id, reason: REASON })).toMatchObject({
      state: 'rejected',
    })
    await expect(decide(approver)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('two approvals at once make one call', async () => {
    const { caseId, surplus } = await doubled()
    const action = await proposeRefund(caseId)
    const second = await world.as('approver', 'second')
    const answers = await Promise.allSettled(
      [approver, second].map((ctx) =>
        approve(ctx, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await refundsOf(surplus)).toHaveLength(1)
  })

  test('is refused when the evidence changed after it was proposed', async () => {
    const { caseId, surplus } = await doubled()
    const action = await proposeRefund(caseId)
    await world.stripe.refunds.create({ charge: surplus, amount: 100 })
    const refused = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(refused).toMatchObject({ state: 'refused', result: { reason: 'evidence_changed' } })
    expect(await refundsOf(surplus)).toHaveLength(1)
  })

  test('an approval is good for 15 minutes', async () => {
    const { caseId, surplus } = await doubled()
    const action = await proposeRefund(caseId)
    const now = world.system.clock.now()
    await world.system.db.prisma.action.update({
      where: { id: action.id },
      data: {
        state: 'approved',
        approverId: 'user-appr',
        approvedAt: now,
        expiresAt: new Date(now.getTime() + 900_000),
      },
    })
    world.advance(900_001)
    expect(await executeCorrection(approver, action.id, SETTINGS)).toMatchObject({ state: 'expired' })
    expect(await refundsOf(surplus)).toHaveLength(0)
  })

  test('never gives back more than is left, and only what a person chose where evidence does not decide', async () => {
    const { caseId, surplus, kept } = await doubled()
    await expect(proposeRefund(caseId, { amountMinor: '1051' })).rejects.toMatchObject({
      code: 'unprocessable',
      meta: { leftMinor: '1050' },
    })
    await expect(proposeRefund(caseId, { charge: 'ch_other' })).rejects.toMatchObject({
      code: 'unprocessable',
    })
    const part = await proposeRefund(caseId, { charge: surplus, amountMinor: '50' })
    expect(part.amount).toEqual({ minor: '50', currency: 'USD' })
    expect(await refundsOf(kept)).toHaveLength(0)

    const first = await pay(world, 'chosen')
    const second = await pay(world, 'chosen')
    const semantic = await openCase('chosen')
    await expect(proposeRefund(semantic.caseId)).rejects.toThrow(/A person must choose/)
    const chosen = await proposeRefund(semantic.caseId, { charge: second.charge })
    expect(
      await approve(approver, { actionId: chosen.id, evidenceHash: hashOf(chosen) }, SETTINGS),
    ).toMatchObject({ state: 'done' })
    expect(await refundsOf(first.charge)).toHaveLength(0)
    expect(await cases('chosen')).toMatchObject([{ resolution: 'corrected' }])
  })

  test('while one is in flight for a charge, another is not begun', async () => {
    const { caseId, surplus } = await doubled()
    const action = await proposeRefund(caseId)
    await world.system.db.prisma.action.create({
      data: {
        id: 'act_inflight',
        kind: 'refund',
        state: 'unknown',
        provider: world.ids.provider,
        charge: surplus,
        reason: REASON,
        createdAt: world.system.clock.now(),
      },
    })
    // It does not stay approved behind the approver's back: it ends, and may be proposed anew.
    expect(
      await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
    ).toMatchObject({ state: 'refused', result: { reason: 'one_in_flight' } })
    expect(await refundsOf(surplus)).toHaveLength(0)
    await world.system.db.prisma.action.delete({ where: { id: 'act_inflight' } })
    const next = await proposeRefund(caseId)
    expect(
      await approve(approver, { actionId: next.id, evidenceHash: hashOf(next) }, SETTINGS),
    ).toMatchObject({ state: 'done' })
  })

  test('a lost answer is unknown, and settled by reading: it had happened', async () => {
    const { caseId, surplus, reference } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 2, effect: 'after', match: 'POST /v1/refunds' },
    })
    const unknown = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    // The second attempt is answered 500 too: the provider replays nothing while it fails.
    expect(unknown.state).toBe('unknown')
    world.advance(10_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    expect(await refundsOf(surplus)).toHaveLength(1)
    const row = await world.system.db.prisma.action.findUniqueOrThrow({ where: { id: action.id } })
    expect(row.state).toBe('done')
    expect(await cases(reference)).toMatchObject([{ resolution: 'corrected' }])
  })

  test('a lost request is unknown, and the same action is sent again while the provider remembers its id', async () => {
    const { caseId, surplus, reference } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 2, effect: 'before', match: 'POST /v1/refunds' },
    })
    await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(await refundsOf(surplus)).toHaveLength(0)
    world.advance(10_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    expect((await refundsOf(surplus)).map(({ metadata }) => metadata?.idemscope_action)).toEqual([action.id])
    expect(await cases(reference)).toMatchObject([{ resolution: 'corrected' }])
  })

  test('provider window passed: what was lost is read, not sent again, and a new action supersedes it', async () => {
    const { caseId, surplus } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 2, effect: 'before', match: 'POST /v1/refunds' },
    })
    expect(
      await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
    ).toMatchObject({ state: 'unknown' })
    world.advance(24 * 3_600_000)
    await settleCorrections(world.system, SETTINGS)
    expect(await refundsOf(surplus)).toHaveLength(0)
    const next = await proposeRefund(caseId)
    expect(next.supersedes).toBe(action.id)
    expect(
      await approve(approver, { actionId: next.id, evidenceHash: hashOf(next) }, SETTINGS),
    ).toMatchObject({ state: 'done' })
    expect(await refundsOf(surplus)).toHaveLength(1)
  })

  test('the kill switch stops it, also between the approval and the call', async () => {
    const { caseId, surplus } = await doubled()
    const action = await proposeRefund(caseId)
    await setKillSwitch(approver, { on: true, reason: 'provider looks wrong' })
    await expect(
      approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
    ).rejects.toMatchObject({ code: 'kill_switch' })
    const now = world.system.clock.now()
    await world.system.db.prisma.action.update({
      where: { id: action.id },
      data: {
        state: 'approved',
        approverId: 'user-appr',
        approvedAt: now,
        expiresAt: new Date(now.getTime() + 900_000),
      },
    })
    expect(await executeCorrection(approver, action.id, SETTINGS)).toMatchObject({
      state: 'refused',
      result: { reason: 'kill_switch' },
    })
    await setKillSwitch(approver, { on: false, reason: 'provider is fine again' })
    expect(await refundsOf(surplus)).toHaveLength(0)
  })
})

describe('books', () => {
  const decide = (action: Awaited<ReturnType<typeof propose>>) =>
    approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
  const fix = (
    caseId: string,
    kind: 'book_ledger' | 'book_refund' | 'reverse_ledger' | 'adopt' | 'refund' | 'ignore',
    params = {},
  ) => propose(proposer, { caseId, kind, params, reason: REASON }, SETTINGS)

  test('a missing posting is booked once by the service’s own function', async () => {
    const paid = await pay(world, 'book-1', { skip: 'book' })
    const { caseId } = await openCase('book-1')
    const action = await fix(caseId, 'book_ledger')
    expect(await decide(action)).toMatchObject({ state: 'done', result: { applied: true } })
    const { rows } = await world.service.query(
      'SELECT amount_minor, correction_id FROM ledger_entry WHERE provider_ref = $1',
      [paid.charge],
    )
    expect(rows).toEqual([{ amount_minor: '1050', correction_id: action.id }])
    expect(await cases('book-1')).toMatchObject([{ resolution: 'corrected' }])
  })

  test('an unbooked refund is booked', async () => {
    const paid = await pay(world, 'book-2')
    await giveBack(world, paid, { skip: 'book' })
    const { caseId } = await openCase('book-2')
    expect(await decide(await fix(caseId, 'book_refund'))).toMatchObject({ state: 'done' })
    expect(await cases('book-2')).toMatchObject([{ class: 'refund_unbooked', resolution: 'corrected' }])
  })

  test('a posting whose charge failed is reversed', async () => {
    const paid = await pay(world, 'book-3')
    await reconcileNow(world)
    await world.provider.control.failCharge(paid.charge)
    const { caseId } = await openCase('book-3')
    expect(await decide(await fix(caseId, 'reverse_ledger'))).toMatchObject({ state: 'done' })
    const { rows } = await world.service.query(
      'SELECT reversed_at IS NOT NULL AS reversed FROM ledger_entry WHERE provider_ref = $1',
      [paid.charge],
    )
    expect(rows).toEqual([{ reversed: true }])
  })

  test('an orphan is adopted into the books', async () => {
    await charge(
      world,
      { scope: 'web/POST /v1/express-payments', key: 'adopted', fence: '1', tier: 1 },
      { reference: 'book-4' },
    )
    const { caseId } = await openCase('book-4')
    expect(await decide(await fix(caseId, 'adopt'))).toMatchObject({ state: 'done' })
    expect(await cases('book-4')).toMatchObject([{ class: 'orphan_effect', resolution: 'corrected' }])
  })

  test('only what corrects the class may be proposed; ignoring closes by hand with its reason', async () => {
    await pay(world, 'book-5', { bookAs: 1234 })
    const { caseId } = await openCase('book-5')
    await expect(fix(caseId, 'refund')).rejects.toMatchObject({ code: 'unprocessable' })
    await expect(
      propose(proposer, { caseId, kind: 'ignore', reason: 'short' }, SETTINGS),
    ).rejects.toMatchObject({ code: 'invalid' })
    expect(await fix(caseId, 'ignore')).toMatchObject({ kind: 'ignore', state: 'done' })
    await reconcileNow(world)
    expect(await cases('book-5')).toMatchObject([{ lifecycle: 'resolved', resolution: 'by_hand' }])
  })
})
