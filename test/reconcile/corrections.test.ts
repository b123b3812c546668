import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { approve } from '@/lib/reconcile/corrections/approve'
import { executeCorrection } from '@/lib/reconcile/corrections/execute/execute'
import { propose } from '@/lib/reconcile/corrections/propose'
import { reject } from '@/lib/reconcile/corrections/reject'
import { createCorrectionFixture, hashOf } from './correction-fixture'
import { pay } from './payments'
import { REASON, reconcileNow, SETTINGS } from './world'

const { world, proposer, approver, doubled, openCase, cases, proposeRefund, refundsOf, calm } =
  await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

describe('a refund', () => {
  test('proposed by one, approved by another, leaves exactly one refund, of the duplicate, and closes the case', async () => {
    const { caseId, kept, duplicate, reference } = await doubled()
    const action = await proposeRefund(caseId)
    expect(action).toMatchObject({
      state: 'proposed',
      charge: duplicate,
      amount: { minor: '1050', currency: 'USD' },
    })
    expect(await refundsOf(duplicate)).toHaveLength(0)
    const done = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(done.state).toBe('done')
    const refunds = await refundsOf(duplicate)
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
    const { caseId, duplicate } = await doubled()
    const action = await proposeRefund(caseId)
    const second = await world.as('approver', 'second')
    const answers = await Promise.allSettled(
      [approver, second].map((ctx) =>
        approve(ctx, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await refundsOf(duplicate)).toHaveLength(1)
  })

  test('is refused when the evidence changed after it was proposed', async () => {
    const { caseId, duplicate } = await doubled()
    const action = await proposeRefund(caseId)
    await world.stripe.refunds.create({ charge: duplicate, amount: 100 })
    const refused = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(refused).toMatchObject({ state: 'refused', result: { reason: 'evidence_changed' } })
    expect(await refundsOf(duplicate)).toHaveLength(1)
  })

  test('an approval is good for 15 minutes', async () => {
    const { caseId, duplicate } = await doubled()
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
    expect(await refundsOf(duplicate)).toHaveLength(0)
  })

  test('never gives back more than is left, and only what a person chose where evidence does not decide', async () => {
    const { caseId, duplicate, kept } = await doubled()
    await expect(proposeRefund(caseId, { amountMinor: '1051' })).rejects.toMatchObject({
      code: 'unprocessable',
      meta: { leftMinor: '1050' },
    })
    await expect(proposeRefund(caseId, { charge: 'ch_other' })).rejects.toMatchObject({
      code: 'unprocessable',
    })
    const part = await proposeRefund(caseId, { charge: duplicate, amountMinor: '50' })
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
    const { caseId, duplicate } = await doubled()
    const action = await proposeRefund(caseId)
    await world.system.db.prisma.action.create({
      data: {
        id: 'act_inflight',
        kind: 'refund',
        state: 'unknown',
        provider: world.ids.provider,
        charge: duplicate,
        reason: REASON,
        createdAt: world.system.clock.now(),
      },
    })
    // It does not stay approved behind the approver's back: it ends, and may be proposed anew.
    expect(
      await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
    ).toMatchObject({ state: 'refused', result: { reason: 'one_in_flight' } })
    expect(await refundsOf(duplicate)).toHaveLength(0)
    await world.system.db.prisma.action.delete({ where: { id: 'act_inflight' } })
    const next = await proposeRefund(caseId)
    expect(
      await approve(approver, { actionId: next.id, evidenceHash: hashOf(next) }, SETTINGS),
    ).toMatchObject({ state: 'done' })
  })
})
