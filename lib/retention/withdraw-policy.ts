import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { proposedPolicy } from './approve-policy'

/** Takes back a proposed policy of one's own while it waits; it needs no approver, since nothing was changed. */
export async function withdrawPolicy(
  ctx: Context,
  input: { actionId: string; reason: string },
): Promise<ActionView> {
  authorise(ctx, 'retention.run')
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedPolicy(ctx, input.actionId)
  if (ctx.actor.kind !== 'user' || action.proposerId !== ctx.actor.userId) {
    throw new AppError('forbidden', 'Only who proposed it can withdraw it; an approver can reject it.')
  }
  return ctx.db.prisma.$transaction(async (tx) => {
    const patch = { finishedAt: ctx.clock.now(), result: { reason, withdrawn: true } }
    const row = await transition(tx, { id: action.id, from: ['proposed'], to: 'rejected', patch })
    if (row === 'lost') throw new AppError('conflict', 'Somebody else has decided on it already.')
    await append(tx, ctx, { verb: 'retention.withdraw', subject: action.id, outcome: 'withdrawn', reason })
    return actionView(row)
  })
}
