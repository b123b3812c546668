import { approvalExpiresAt, assertFourEyes } from '@/lib/actions/approval'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { transition } from '@/lib/actions/transition'
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

const DECIDED = 'Somebody else has decided on it already.'

/** Another person approves the list that they saw; the next run judges by it. What it replaces must be as it was. */
export async function approveRules(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposedRules(ctx, input.actionId)
  const approverId = assertFourEyes(action, ctx.actor)
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
    const steps = [
      {
        from: 'proposed',
        to: 'approved',
        patch: { approverId, approvedAt: now, expiresAt: approvalExpiresAt(now) },
      },
      { from: 'approved', to: 'executing', patch: { executedAt: now } },
      { from: 'executing', to: 'done', patch: { finishedAt: now, result: { version: after.version + 1 } } },
    ] as const
    let row: Awaited<ReturnType<typeof transition>> = 'lost'
    for (const { from, to, patch } of steps) {
      row = await transition(tx, { id: action.id, from: [from], to, patch })
      if (row === 'lost') throw new AppError('conflict', DECIDED)
    }
    await replaceRules(tx, { ...after, by: actorLabel(ctx.actor), at: now })
    await append(tx, ctx, {
      verb: 'reconciliation.rules.approve',
      subject: action.id,
      outcome: 'done',
      before: { rules: before.rules },
      after: { rules: after.rules },
    })
    if (row === 'lost') throw new AppError('conflict', DECIDED)
    return actionView(row)
  })
}

type Declined = { actionId: string; reason: string }

/** Somebody looked and said no. */
export async function rejectRules(ctx: Context, input: Declined): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  return decline(ctx, input, 'reject')
}

/** Its proposer takes it back; it needs no approver, since nothing was changed. */
export async function withdrawRules(ctx: Context, input: Declined): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const action = await proposedRules(ctx, input.actionId)
  if (ctx.actor.kind !== 'user' || action.proposerId !== ctx.actor.userId)
    throw new AppError('forbidden', 'Only who proposed it can withdraw it; an approver can reject it.')
  return decline(ctx, input, 'withdraw')
}

async function decline(ctx: Context, input: Declined, how: 'reject' | 'withdraw'): Promise<ActionView> {
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedRules(ctx, input.actionId)
  return ctx.db.prisma.$transaction(async (tx) => {
    const result = how === 'withdraw' ? { reason, withdrawn: true } : { reason }
    const patch = { finishedAt: ctx.clock.now(), result }
    const row = await transition(tx, { id: action.id, from: ['proposed'], to: 'rejected', patch })
    if (row === 'lost') throw new AppError('conflict', DECIDED)
    await append(tx, ctx, {
      verb: `reconciliation.rules.${how}`,
      subject: action.id,
      outcome: how === 'withdraw' ? 'withdrawn' : 'rejected',
      reason,
    })
    return actionView(row)
  })
}

/** Throws `not_found` when it is no list of rules. */
async function proposedRules(ctx: Context, id: string) {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action === null || action.kind !== RULES_ACTION_KIND)
    throw new AppError('not_found', `There are no proposed rules ${id}.`)
  return action
}
