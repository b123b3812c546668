import { assertProposer } from '@/lib/actions/approval'
import { endProposal } from '@/lib/actions/end-proposal'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
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
  assertProposer(action, ctx.actor)
  return endProposal(ctx, action.id, { outcome: 'withdrawn', verb: 'retention.withdraw', reason })
}
