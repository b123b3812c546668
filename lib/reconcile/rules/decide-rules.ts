import { assertFourEyes, assertProposer } from '@/lib/actions/approval'
import { endProposal } from '@/lib/actions/end-proposal'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { putInForce } from '@/lib/actions/put-in-force'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { RULES_ACTION_KIND } from '@/lib/core/states'
import { rulesHash, rulesParamsSchema } from './propose-rules'
import { readRules, replaceRules } from './rules'

/** Another person approves the list that they saw; the next run classifies by it. What it replaces must be as it was. */
export async function approveRules(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposedRules(ctx, input.actionId)
  const approverId = await assertFourEyes(ctx, action)
  await assertWritesEnabled(ctx.db)
  const after = rulesParamsSchema.parse(action.params)
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    const before = await readRules(tx)
    if (action.evidenceHash !== input.evidenceHash || rulesHash(before, after) !== input.evidenceHash) {
      throw new AppError('conflict', 'The rules in force are not what was looked at: propose it again.', {
        meta: { reason: 'stale_evidence' },
      })
    }
    const result = { version: after.version + 1 }
    const row = await putInForce(tx, action.id, { approverId, at: now, result })
    await replaceRules(tx, { ...after, by: actorLabel(ctx.actor), at: now })
    await append(tx, ctx, {
      verb: 'reconciliation.rules.approve',
      subject: action.id,
      outcome: 'done',
      before: { rules: before.rules },
      after: { rules: after.rules },
    })
    return actionView(row)
  })
}

type EndOfProposal = { actionId: string; reason: string }

/** Somebody looked and said no. */
export async function rejectRules(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  const reason = reasonSchema.parse(input.reason)
  const { id } = await proposedRules(ctx, input.actionId)
  return endProposal(ctx, id, { outcome: 'rejected', verb: 'reconciliation.rules.reject', reason })
}

/** Its proposer takes it back; it needs no approver, since nothing was changed. */
export async function withdrawRules(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const action = await proposedRules(ctx, input.actionId)
  assertProposer(action, ctx.actor)
  const reason = reasonSchema.parse(input.reason)
  return endProposal(ctx, action.id, { outcome: 'withdrawn', verb: 'reconciliation.rules.withdraw', reason })
}

/** Throws `not_found` when it is no list of rules. */
async function proposedRules(ctx: Context, id: string) {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action === null || action.kind !== RULES_ACTION_KIND)
    throw new AppError('not_found', `There are no proposed rules ${id}.`)
  return action
}
