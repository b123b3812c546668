import { getAction } from '@/lib/actions/read'
import { approveRoleRaise, rejectRoleRaise, withdrawRoleRaise } from '@/lib/actions/role-raise'
import type { ActionView } from '@/lib/actions/view'
import { approveTerms, rejectTerms, withdrawTerms } from '@/lib/alerts/terms/decide-terms'
import type { Context } from '@/lib/context'
import { POLICY_ACTION_KIND, ROLE_ACTION_KIND, RULES_ACTION_KIND, TERMS_ACTION_KIND } from '@/lib/core/states'
import { approveFail, rejectFail, withdrawFail } from '@/lib/locks/fail/decide'
import { approveMessage, rejectMessage, withdrawMessage } from '@/lib/messages/verbs/decide-message'
import { approve } from '@/lib/reconcile/corrections/approve'
import { reject } from '@/lib/reconcile/corrections/reject'
import { withdraw } from '@/lib/reconcile/corrections/withdraw'
import { approveRules, rejectRules, withdrawRules } from '@/lib/reconcile/rules/decide-rules'
import { approvePolicy, rejectPolicy } from '@/lib/retention/policy/approve-policy'
import { withdrawPolicy } from '@/lib/retention/policy/withdraw-policy'

// A proposal is decided on by its id, whatever it proposes: here it finds the verb that knows what it means.

type Approval = { actionId: string; evidenceHash: string }
type Refusal = { actionId: string; reason: string }
type Verbs = {
  approve(ctx: Context, input: Approval): Promise<ActionView>
  reject(ctx: Context, input: Refusal): Promise<ActionView>
  withdraw(ctx: Context, input: Refusal): Promise<ActionView>
}

const CORRECTION: Verbs = { approve, reject, withdraw }
const MESSAGE: Verbs = { approve: approveMessage, reject: rejectMessage, withdraw: withdrawMessage }
const BY_KIND: Record<string, Verbs> = {
  redrive: MESSAGE,
  discard: MESSAGE,
  fail: { approve: approveFail, reject: rejectFail, withdraw: withdrawFail },
  [POLICY_ACTION_KIND]: { approve: approvePolicy, reject: rejectPolicy, withdraw: withdrawPolicy },
  [RULES_ACTION_KIND]: { approve: approveRules, reject: rejectRules, withdraw: withdrawRules },
  [TERMS_ACTION_KIND]: { approve: approveTerms, reject: rejectTerms, withdraw: withdrawTerms },
  [ROLE_ACTION_KIND]: { approve: approveRoleRaise, reject: rejectRoleRaise, withdraw: withdrawRoleRaise },
}

const verbsOf = async (ctx: Context, { actionId }: { actionId: string }): Promise<Verbs> =>
  BY_KIND[(await getAction(ctx.db, actionId)).kind] ?? CORRECTION

/** Another person approves the evidence that they saw: a correction is executed; a policy, or rules, are in force. */
export const approveAction = async (ctx: Context, input: Approval): Promise<ActionView> =>
  (await verbsOf(ctx, input)).approve(ctx, input)

export const rejectAction = async (ctx: Context, input: Refusal): Promise<ActionView> =>
  (await verbsOf(ctx, input)).reject(ctx, input)

/** Its proposer takes it back. */
export const withdrawAction = async (ctx: Context, input: Refusal): Promise<ActionView> =>
  (await verbsOf(ctx, input)).withdraw(ctx, input)
