import { approvalExpiresAt, assertFourEyes } from '@/lib/actions/approval'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { POLICY_ACTION_KIND } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { evidenceHashOf, type PolicyParams, policyInForce, policyParamsSchema } from './propose-policy'

/** Another person approves the change that they saw; it is in force at once. What it would replace must be as it was. */
export async function approvePolicy(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposedPolicy(ctx, input.actionId)
  const approverId = assertFourEyes(action, ctx.actor)
  await assertWritesEnabled(ctx.db)
  const policy = policyParamsSchema.parse(action.params)
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    const lock = `retention.policy:${policy.source}:${policy.tier}:${policy.endpoint}`
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`
    const before = await policyInForce(tx, policy)
    const current = evidenceHashOf({ before, after: policy })
    if (action.evidenceHash !== input.evidenceHash || current !== input.evidenceHash) {
      throw new AppError('conflict', 'The policy in force is not what was looked at: propose it again.', {
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
      { from: 'executing', to: 'done', patch: { finishedAt: now, result: { policy } } },
    ] as const
    let row: Awaited<ReturnType<typeof transition>> = 'lost'
    for (const { from, to, patch } of steps) {
      row = await transition(tx, { id: action.id, from: [from], to, patch })
      if (row === 'lost') throw new AppError('conflict', 'Somebody else has decided on it already.')
    }
    await put(tx, policy, action.id, now)
    await append(tx, ctx, {
      verb: 'retention.approve',
      subject: action.id,
      outcome: 'done',
      before,
      after: policy,
    })
    if (row === 'lost') throw new AppError('conflict', 'Somebody else has decided on it already.')
    return actionView(row)
  })
}

/** Somebody looked and said no. */
export async function rejectPolicy(
  ctx: Context,
  input: { actionId: string; reason: string },
): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedPolicy(ctx, input.actionId)
  return ctx.db.prisma.$transaction(async (tx) => {
    const patch = { finishedAt: ctx.clock.now(), result: { reason } }
    const row = await transition(tx, { id: action.id, from: ['proposed'], to: 'rejected', patch })
    if (row === 'lost') throw new AppError('conflict', 'Somebody else has decided on it already.')
    await append(tx, ctx, {
      verb: 'retention.reject',
      subject: action.id,
      outcome: 'rejected',
      reason,
    })
    return actionView(row)
  })
}

/** Throws `not_found` when it is no policy. */
export async function proposedPolicy(ctx: Context, id: string) {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action === null || action.kind !== POLICY_ACTION_KIND)
    throw new AppError('not_found', `There is no proposed policy ${id}.`)
  return action
}

async function put(tx: Tx, policy: PolicyParams, actionId: string, now: Date): Promise<void> {
  const { source: sourceId, tier, endpoint, ttlMs, safetyMs, archive } = policy
  const data = {
    ttlMs: ttlMs === null ? null : BigInt(ttlMs),
    safetyMs: BigInt(safetyMs),
    archive,
    actionId,
    updatedAt: now,
  }
  await tx.retentionPolicy.upsert({
    where: { sourceId_tier_endpoint: { sourceId, tier, endpoint } },
    create: { id: newId('pol'), sourceId, tier, endpoint, createdAt: now, ...data },
    update: { ...data, version: { increment: 1 } },
  })
}
