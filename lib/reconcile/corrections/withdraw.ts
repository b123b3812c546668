import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { noteOnCase } from './case-note'
import { proposedAction } from './proposed-action'

/** Takes back a proposal of one's own while it waits. It needs no approver: nothing was done, and nothing is. */
export async function withdraw(
  ctx: Context,
  input: { actionId: string; reason: string },
): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedAction(ctx, input.actionId)
  if (ctx.actor.kind !== 'user' || action.proposerId !== ctx.actor.userId) {
    throw new AppError('forbidden', 'Only who proposed it can withdraw it; an approver can reject it.')
  }
  return ctx.db.prisma.$transaction(async (tx) => {
    const row = await transition(tx, {
      id: action.id,
      from: ['proposed'],
      to: 'rejected',
      patch: { finishedAt: ctx.clock.now(), result: { reason, withdrawn: true } },
    })
    if (row === 'lost') throw new AppError('conflict', 'Somebody else has decided on it already.')
    if (action.caseId !== null)
      await noteOnCase(tx, ctx, action.caseId, 'withdrawn', { actionId: action.id, reason })
    await append(tx, ctx, {
      verb: `correction.${action.kind}`,
      subject: action.id,
      outcome: 'withdrawn',
      reason,
    })
    return actionView(row)
  })
}
