import { approvalExpiresAt, assertFourEyes, assertSameEvidence } from '@/lib/actions/approval'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { decide } from '@/lib/actions/transition'
import type { ActionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { type ReconcileSettings, reconcileSettings } from '../settings'
import { noteOnCase } from './case-note'
import { executeCorrection } from './execute/execute'
import { proposedAction } from './proposed-action'

/**
 * Another person approves the evidence that they saw, and the correction is executed at once. Of two approvals at the
 * same time one is lost, and nothing is executed twice.
 */
export async function approve(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
  settings: ReconcileSettings = reconcileSettings(),
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposedAction(ctx, input.actionId)
  const approverId = await assertFourEyes(ctx, action)
  await assertWritesEnabled(ctx.db)
  assertSameEvidence(action, input.evidenceHash)
  const now = ctx.clock.now()
  await ctx.db.prisma.$transaction(async (tx) => {
    await decide(tx, {
      id: action.id,
      from: ['proposed'],
      to: 'approved',
      patch: { approverId, approvedAt: now, expiresAt: approvalExpiresAt(now) },
    })
    if (action.caseId !== null) await noteOnCase(tx, ctx, action.caseId, 'approved', { actionId: action.id })
    await append(tx, ctx, {
      verb: `correction.${action.kind}`,
      subject: action.id,
      outcome: 'approved',
      after: { evidenceHash: input.evidenceHash },
    })
  })
  return executeCorrection(ctx, action.id, settings)
}
