import { approveAgreed, rejectAgreed, withdrawAgreed } from '@/lib/actions/agreed-list'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { RULES } from './rules'

type Approval = { actionId: string; evidenceHash: string }
type EndOfProposal = { actionId: string; reason: string }

/** Another person approves the list that they saw; the next run classifies by it. */
export const approveRules = (ctx: Context, input: Approval): Promise<ActionView> =>
  approveAgreed(ctx, RULES, input)

/** Somebody looked and said no. */
export const rejectRules = (ctx: Context, input: EndOfProposal): Promise<ActionView> =>
  rejectAgreed(ctx, RULES, input)

/** Its proposer takes it back. */
export const withdrawRules = (ctx: Context, input: EndOfProposal): Promise<ActionView> =>
  withdrawAgreed(ctx, RULES, input)
