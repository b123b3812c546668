import { assertProposer } from '@/lib/actions/approval'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { reasonSchema } from '@/lib/core/reason'
import { endCorrection } from './end-correction'
import { proposedAction } from './proposed-action'

/** Takes back a proposal of one's own while it waits. It needs no approver: nothing was done, and nothing is. */
export async function withdraw(
  ctx: Context,
  input: { actionId: string; reason: string },
): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedAction(ctx, input.actionId)
  assertProposer(action, ctx.actor)
  return endCorrection(ctx, action, { outcome: 'withdrawn', reason })
}
