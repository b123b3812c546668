import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { ActionState } from '@/lib/core/states'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import type { Action } from '@/prisma/generated/client'
import { noteOnCase } from '../case-note'
import { closeWhenCorrected } from '../close-corrected'
import { act, stepSchema, whyKilled } from './act'
import { type Gathered, gather } from './gather'

/**
 * Executes an approved correction once. The order is the safety: evidence read again and unchanged; intent committed;
 * kill switch; the call, outside any transaction; result committed; verified before the case closes.
 */
export async function executeCorrection(
  ctx: Context,
  actionId: string,
  settings: ReconcileSettings,
): Promise<ActionView> {
  const action = await ctx.db.prisma.action.findUniqueOrThrow({ where: { id: actionId } })
  if (isExpired(ctx, action)) return end(ctx, action, 'approved', 'expired', { reason: 'approval_expired' })
  const gathered = await gatherFor(ctx, action, settings).catch(refusal)
  // It may not stay approved behind the back of who approved it.
  if ('reason' in gathered) return end(ctx, action, 'approved', 'refused', gathered)
  if (gathered.hash !== action.evidenceHash) {
    return end(ctx, action, 'approved', 'refused', {
      reason: 'evidence_changed',
      text: 'What was approved is not how it is any more. Nothing was done.',
    })
  }
  const late = await commitIntent(ctx, action).catch(refusal)
  if (late !== null) return 'id' in late ? late : end(ctx, action, 'approved', 'refused', late)
  const outcome = await act(action, gathered, () => whyKilled(ctx, action))
  const ended = await end(ctx, action, 'executing', outcome.state, outcome.result)
  if (ended.state === 'done' && action.caseId !== null) {
    await closeWhenCorrected(ctx, action.caseId, action.id, settings)
  }
  return ended
}

/** An expected obstacle as the result of a refused action; anything else goes on. */
function refusal(error: unknown): { reason: string; text: string } {
  if (!(error instanceof AppError)) throw error
  const { reason } = error.meta
  return { reason: typeof reason === 'string' ? reason : error.code, text: error.message }
}

const isExpired = (ctx: Context, action: Action): boolean =>
  action.expiresAt === null || action.expiresAt <= ctx.clock.now()

async function gatherFor(ctx: Context, action: Action, settings: ReconcileSettings): Promise<Gathered> {
  const row =
    action.caseId === null
      ? null
      : await ctx.db.prisma.reconciliationCase.findUnique({ where: { id: action.caseId } })
  if (row === null) throw new AppError('conflict', 'The case of this action is gone.')
  return gather(ctx, row, settings)
}

/** Null = go on. The approval is looked at again here: reading the evidence took its time. */
async function commitIntent(ctx: Context, action: Action): Promise<ActionView | null> {
  if (isExpired(ctx, action)) return end(ctx, action, 'approved', 'expired', { reason: 'approval_expired' })
  return ctx.db.prisma.$transaction(async (tx) => {
    // One correction of a charge at a time: the partial unique index throws `conflict` for the second.
    const row = await transition(tx, {
      id: action.id,
      from: ['approved'],
      to: 'executing',
      patch: { executedAt: ctx.clock.now() },
    })
    if (row === 'lost') return actionView(await tx.action.findUniqueOrThrow({ where: { id: action.id } }))
    await append(tx, ctx, {
      verb: `correction.${action.kind}`,
      subject: action.id,
      outcome: 'intent',
      after: { step: stepSchema.parse(action.params), evidenceHash: action.evidenceHash },
    })
    return null
  })
}

async function end(
  ctx: Context,
  action: Action,
  from: ActionState,
  to: ActionState,
  result: Record<string, unknown>,
): Promise<ActionView> {
  return ctx.db.prisma.$transaction(async (tx) => {
    const row = await transition(tx, {
      id: action.id,
      from: [from],
      to,
      patch: { result, ...(to === 'unknown' ? {} : { finishedAt: ctx.clock.now() }) },
    })
    // Somebody settled it meanwhile by reading: that answer stands.
    if (row === 'lost') return actionView(await tx.action.findUniqueOrThrow({ where: { id: action.id } }))
    if (action.caseId !== null)
      await noteOnCase(tx, ctx, action.caseId, to, { actionId: action.id, ...result })
    await append(tx, ctx, {
      verb: `correction.${action.kind}`,
      subject: action.id,
      outcome: to,
      after: result,
    })
    return actionView(row)
  })
}
