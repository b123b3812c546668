import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { callOnce, execute } from '@/lib/actions/execute'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import { approve } from '@/lib/reconcile/corrections/approve'
import { executeCorrection } from '@/lib/reconcile/corrections/execute/execute'
import { gather } from '@/lib/reconcile/corrections/execute/gather'
import { correctionSteps } from '@/lib/reconcile/corrections/execute/send'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { createCorrectionFixture, hashOf } from './correction-fixture'
import { SETTINGS } from './world'

const { world, approver, doubled, cases, proposeRefund, refundsOf, calm } = await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

describe('a refund whose outcome is not plain', () => {
  test('a lost answer is read, not repeated: it had happened', async () => {
    const { caseId, duplicate, reference } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 9, effect: 'after', match: 'POST /v1/refunds' },
    })
    const done = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(done).toMatchObject({ state: 'done', result: { settledBy: 'reading' } })
    expect(await refundsOf(duplicate)).toHaveLength(1)
    expect(await cases(reference)).toMatchObject([{ resolution: 'corrected' }])
  })

  test('a process that died behind the call leaves it to be settled by reading', async () => {
    const { caseId, duplicate, reference } = await doubled()
    const action = await proposeRefund(caseId)
    await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    await world.system.db.prisma.action.update({
      where: { id: action.id },
      data: { state: 'executing', executedAt: world.system.clock.now(), finishedAt: null },
    })
    await world.system.db.prisma.reconciliationCase.update({
      where: { id: caseId },
      data: { lifecycle: 'persisting', resolution: null, resolvedAt: null },
    })
    world.advance(400_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    expect(await refundsOf(duplicate)).toHaveLength(1)
    const row = await world.system.db.prisma.action.findUniqueOrThrow({ where: { id: action.id } })
    expect(row.state).toBe('done')
    expect(await cases(reference)).toMatchObject([{ resolution: 'corrected' }])
  })

  test('a lost request is unknown, and the same action is sent again while its approval is good', async () => {
    const { caseId, duplicate, reference } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 1, effect: 'before', match: 'POST /v1/refunds' },
    })
    await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
    expect(await refundsOf(duplicate)).toHaveLength(0)
    world.advance(10_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    expect((await refundsOf(duplicate)).map(({ metadata }) => metadata?.idemscope_action)).toEqual([
      action.id,
    ])
    expect(await cases(reference)).toMatchObject([{ resolution: 'corrected' }])
  })

  test('an error that the provider replays is read, not repeated for ever: it failed, and a new action is offered', async () => {
    const { caseId, duplicate } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 1, effect: 'before', match: 'POST /v1/refunds', kept: true },
    })
    expect(
      await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
    ).toMatchObject({ state: 'unknown' })
    world.advance(10_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    const row = await world.system.db.prisma.action.findUniqueOrThrow({ where: { id: action.id } })
    expect(row).toMatchObject({ state: 'failed', result: { reason: 'error_replayed' } })
    expect(await refundsOf(duplicate)).toHaveLength(0)
    const next = await proposeRefund(caseId)
    expect(next.supersedes).toBe(action.id)
    expect(
      await approve(approver, { actionId: next.id, evidenceHash: hashOf(next) }, SETTINGS),
    ).toMatchObject({ state: 'done' })
    expect(await refundsOf(duplicate)).toHaveLength(1)
  })

  test('a refund that the provider refuses failed with its reason, and is not sent again', async () => {
    const { caseId, duplicate } = await doubled()
    const { id } = await proposeRefund(caseId)
    const { prisma } = world.system.db
    const now = world.system.clock.now()
    const action = await prisma.action.update({
      where: { id },
      data: { state: 'executing', executedAt: now, expiresAt: new Date(now.getTime() + 900_000) },
    })
    const row = await prisma.reconciliationCase.findUniqueOrThrow({ where: { id: caseId } })
    const gathered = await gather(world.system, row, SETTINGS)
    const [open] = gathered.sources.providers
    if (open === undefined) throw new Error('there is a provider')
    const source: typeof open.source = {
      ...open.source,
      async createRefund(refund) {
        // Behind the last reading: only the provider knows of it.
        await world.provider.control.disputeCharge(duplicate)
        return open.source.createRefund(refund)
      },
    }
    const disputed = { ...gathered, sources: { ...gathered.sources, providers: [{ ...open, source }] } }
    world.provider.control.setSwitches({ refusesChargedBack: true })
    const steps = correctionSteps(world.system, action, disputed)
    await execute(approver, { id, verb: 'correction.refund', ...steps })
    const ended = {
      state: 'failed',
      result: { code: 'charge_disputed', text: expect.stringContaining(duplicate) },
    }
    expect(await prisma.action.findUniqueOrThrow({ where: { id } })).toMatchObject(ended)
    // A second call would make it now.
    world.provider.control.setSwitches({ refusesChargedBack: false })
    await world.provider.control.forgetKey(id)
    world.advance(400_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(0)
    expect(await prisma.action.findUniqueOrThrow({ where: { id } })).toMatchObject(ended)
    expect(await refundsOf(duplicate)).toEqual([])
    await expect(proposeRefund(caseId)).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining(`withholds $10.50 of ${duplicate}`),
    })
  })

  test('approval run out: what was lost is read, not sent again, and a new action supersedes it', async () => {
    const { caseId, duplicate } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 1, effect: 'before', match: 'POST /v1/refunds' },
    })
    expect(
      await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS),
    ).toMatchObject({ state: 'unknown' })
    world.advance(15 * 60_000)
    await settleCorrections(world.system, SETTINGS)
    expect(await refundsOf(duplicate)).toHaveLength(0)
    const next = await proposeRefund(caseId)
    expect(next.supersedes).toBe(action.id)
    expect(
      await approve(approver, { actionId: next.id, evidenceHash: hashOf(next) }, SETTINGS),
    ).toMatchObject({ state: 'done' })
    expect(await refundsOf(duplicate)).toHaveLength(1)
  })

  test('a process that was paused before the call sends nothing once its action was settled', async () => {
    const { caseId, duplicate } = await doubled()
    const { prisma } = world.system.db
    const proposed = await proposeRefund(caseId)
    const now = world.system.clock.now()
    const action = await prisma.action.update({
      where: { id: proposed.id },
      data: { state: 'executing', executedAt: now, expiresAt: new Date(now.getTime() + 900_000) },
    })
    const row = await prisma.reconciliationCase.findUniqueOrThrow({ where: { id: caseId } })
    const gathered = await gather(world.system, row, SETTINGS)
    world.advance(1_000_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    expect(await callOnce(world.system, correctionSteps(world.system, action, gathered))).toMatchObject({
      state: 'refused',
    })
    expect(await refundsOf(duplicate)).toHaveLength(0)
  })

  test('what was sent again for a process that was only paused is not ended by it', async () => {
    const { caseId, duplicate } = await doubled()
    const { prisma } = world.system.db
    const proposed = await proposeRefund(caseId)
    const now = world.system.clock.now()
    const { id } = await prisma.action.update({
      where: { id: proposed.id },
      data: { state: 'executing', executedAt: now, expiresAt: new Date(now.getTime() + 900_000) },
    })
    const stateOf = async () => (await prisma.action.findUniqueOrThrow({ where: { id } })).state
    world.provider.control.setSwitches({
      serverError: { remaining: 1, effect: 'before', match: 'POST /v1/refunds' },
    })
    world.advance(400_000)
    expect([await settleCorrections(world.system, SETTINGS), await stateOf()]).toEqual([0, 'unknown'])
    const paused = execute(approver, {
      id,
      verb: 'correction.refund',
      readAgain: () => Promise.reject(new Error('its connections are gone')),
      whenOff: (off) => {
        throw off
      },
    })
    await expect(paused).rejects.toThrow('its connections are gone')
    expect(await stateOf()).toBe('unknown')
    world.advance(10_000)
    expect([await settleCorrections(world.system, SETTINGS), await stateOf()]).toEqual([1, 'done'])
    expect(await refundsOf(duplicate)).toHaveLength(1)
  })

  test('the kill switch stops it, also between the approval and the call', async () => {
    const { caseId, duplicate } = await doubled()
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
    await setKillSwitch(await world.as('admin', 'boss'), { on: false, reason: 'provider is fine again' })
    expect(await refundsOf(duplicate)).toHaveLength(0)
  })
})
