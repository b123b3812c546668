import { commitIntent, endAction, execute, type Intent, type Recorded } from '@/lib/actions/execute'
import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { Tx } from '@/lib/db'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import type { Action } from '@/prisma/generated/client'
import { noteOnCase } from '../case-note'
import { closeWhenCorrected } from '../close-corrected'
import { type Gathered, gather } from './gather'
import { correctionSteps, stepSchema } from './send'

/**
 * Executes an approved correction once. The order is the safety: evidence read again and unchanged; intent committed;
 * the money read again; kill switch; the call, outside any transaction; result committed; verified before the case closes.
 */
export async function executeCorrection(
  ctx: Context,
  actionId: string,
  settings: ReconcileSettings,
): Promise<ActionView> {
  const action = await ctx.db.prisma.action.findUniqueOrThrow({ where: { id: actionId } })
  const recorded = { id: action.id, ...recordedOf(ctx, action) }
  // It may not stay approved behind the back of who approved it.
  const end = async (state: 'expired' | 'refused', result: Record<string, unknown>) =>
    actionView((await endAction(ctx, { ...recorded, from: ['approved'], state, result })).action)

  if (isExpired(ctx, action)) return end('expired', { reason: 'approval_expired' })
  const gathered = await gatherFor(ctx, action, settings).catch(refusal)
  if ('reason' in gathered) return end('refused', gathered)
  if (gathered.hash !== action.evidenceHash) {
    return end('refused', {
      reason: 'evidence_changed',
      text: 'What was approved is not how it is any more. Nothing was done.',
    })
  }
  // Reading the evidence took its time.
  if (isExpired(ctx, action)) return end('expired', { reason: 'approval_expired' })
  const intent = await commitIntent(ctx, recorded.verb, (tx) => begin(tx, ctx, action)).catch(refusal)
  if ('reason' in intent) return end('refused', intent)
  if (intent.kind === 'taken') return actionView(intent.action)
  const steps = correctionSteps(ctx, action, gathered)
  const { action: ended } = await execute(ctx, { ...recorded, ...steps })
  if (ended.state === 'done' && action.caseId !== null) {
    await closeWhenCorrected(ctx, action.caseId, action.id, settings)
  }
  return ended
}

/** How a correction is recorded: its case's history tells it too. */
export const recordedOf = (ctx: Context, { id, kind, caseId }: Action): Recorded => ({
  verb: `correction.${kind}`,
  note: async (tx, { state, result }) => {
    if (caseId !== null) await noteOnCase(tx, ctx, caseId, state, { actionId: id, ...result })
  },
})

/** An expected obstacle as the result of a refused action; anything else goes on. */
function refusal(error: unknown): { reason: string; text: string } {
  if (!(error instanceof AppError)) throw error
  const { reason } = error.meta
  return { reason: typeof reason === 'string' ? reason : error.code, text: error.message }
}

export const isExpired = (ctx: Context, action: Action): boolean =>
  action.expiresAt === null || action.expiresAt <= ctx.clock.now()

async function gatherFor(ctx: Context, action: Action, settings: ReconcileSettings): Promise<Gathered> {
  const row =
    action.caseId === null
      ? null
      : await ctx.db.prisma.reconciliationCase.findUnique({ where: { id: action.caseId } })
  if (row === null) throw new AppError('conflict', 'The case of this action is gone.')
  return gather(ctx, row, settings)
}

async function begin(tx: Tx, ctx: Context, action: Action): Promise<Intent> {
  // One correction of a charge at a time: the partial unique index throws `conflict` for the second.
  const row = await transition(tx, {
    id: action.id,
    from: ['approved'],
    to: 'executing',
    patch: { executedAt: ctx.clock.now() },
  })
  if (row === 'lost')
    return { kind: 'taken', action: await tx.action.findUniqueOrThrow({ where: { id: action.id } }) }
  const after = { step: stepSchema.parse(action.params), evidenceHash: action.evidenceHash }
  return { kind: 'ours', action: row, audit: { outcome: 'intent', after } }
}
