import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { noteOnCase } from './case-note'
import { proposedAction } from './proposed-action'

/** Says no to a proposal. Needs the approver role. A no moves no money: whoever proposed may withdraw this way. */
export async function reject(ctx: Context, input: { actionId: string; reason: string }): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedAction(ctx, input.actionId)
  return ctx.db.prisma.$transaction(async (tx) => {
    const row = await transition(tx, {
      id: action.id,
      from: ['proposed'],
      to: 'rejected',
      patch: { finishedAt: ctx.clock.now(), result: { reason } },
    })
    if (row === 'lost') throw new AppError('conflict', 'Somebody else has decided on it already.')
    if (action.caseId !== null)
      await noteOnCase(tx, ctx, action.caseId, 'rejected', { actionId: action.id, reason })
    await append(tx, ctx, {
      verb: `correction.${action.kind}`,
      subject: action.id,
      outcome: 'rejected',
      reason,
    })
    return actionView(row)
  })
}
