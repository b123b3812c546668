import { approveAgreed, rejectAgreed, withdrawAgreed } from '@/lib/actions/agreed-list'
import type { ActionView } from '@/lib/actions/view'
import { TERMS } from '@/lib/conditions/terms'
import type { Context } from '@/lib/context'

type Approval = { actionId: string; evidenceHash: string }
type EndOfProposal = { actionId: string; reason: string }

/** Another person approves the terms that they saw; the next evaluation goes by them. */
export const approveTerms = (ctx: Context, input: Approval): Promise<ActionView> =>
  approveAgreed(ctx, TERMS, input)

/** Somebody looked and said no. */
export const rejectTerms = (ctx: Context, input: EndOfProposal): Promise<ActionView> =>
  rejectAgreed(ctx, TERMS, input)

/** Its proposer takes it back. */
export const withdrawTerms = (ctx: Context, input: EndOfProposal): Promise<ActionView> =>
  withdrawAgreed(ctx, TERMS, input)
