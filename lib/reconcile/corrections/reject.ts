import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { reasonSchema } from '@/lib/core/reason'
import { endCorrection } from './end-correction'
import { proposedAction } from './proposed-action'

/** Says no to a proposal. Needs the approver role. A no moves no money: whoever proposed may withdraw this way. */
export async function reject(ctx: Context, input: { actionId: string; reason: string }): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedAction(ctx, input.actionId)
  return endCorrection(ctx, action, { outcome: 'rejected', reason })
}
