import { getAction } from '@/lib/actions/read'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { POLICY_ACTION_KIND } from '@/lib/core/states'
import { approve } from '@/lib/reconcile/corrections/approve'
import { reject } from '@/lib/reconcile/corrections/reject'
import { withdraw } from '@/lib/reconcile/corrections/withdraw'
import { approvePolicy, rejectPolicy } from '@/lib/retention/approve-policy'
import { withdrawPolicy } from '@/lib/retention/withdraw-policy'

// A proposal is decided on by its id, whatever it proposes: here it finds the verb that knows what it means.

const isPolicy = async (ctx: Context, actionId: string): Promise<boolean> =>
  (await getAction(ctx.db, actionId)).kind === POLICY_ACTION_KIND

/** Another person approves the evidence that they saw: a correction is executed, a policy is in force. */
export const approveAction = async (
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
): Promise<ActionView> =>
  (await isPolicy(ctx, input.actionId)) ? approvePolicy(ctx, input) : approve(ctx, input)

export const rejectAction = async (
  ctx: Context,
  input: { actionId: string; reason: string },
): Promise<ActionView> =>
  (await isPolicy(ctx, input.actionId)) ? rejectPolicy(ctx, input) : reject(ctx, input)

/** Its proposer takes it back. */
export const withdrawAction = async (
  ctx: Context,
  input: { actionId: string; reason: string },
): Promise<ActionView> =>
  (await isPolicy(ctx, input.actionId)) ? withdrawPolicy(ctx, input) : withdraw(ctx, input)
