import { assertFourEyes } from '@/lib/actions/approval'
import { endProposal } from '@/lib/actions/end-proposal'
import { evidenceHashOf } from '@/lib/actions/evidence-hash'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { putInForce } from '@/lib/actions/put-in-force'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { POLICY_ACTION_KIND } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { readFloors } from './floor'
import { type PolicyParams, policyInForce, policyParamsSchema } from './propose-policy'

/** Another person approves the change that they saw; it is in force at once. What it would replace must be as it was. */
export async function approvePolicy(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposedPolicy(ctx, input.actionId)
  const approverId = await assertFourEyes(ctx, action)
  await assertWritesEnabled(ctx.db)
  const policy = policyParamsSchema.parse(action.params)
  const floors = await readFloors(ctx, [policy.source])
  const floorMs = floors.get(policy.source)?.floorMs ?? null
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    const lock = `retention.policy:${policy.source}:${policy.tier}:${policy.endpoint}`
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`
    const before = await policyInForce(tx, policy)
    const current = evidenceHashOf({ before, after: policy, floorMs })
    if (action.evidenceHash !== input.evidenceHash || current !== input.evidenceHash) {
      throw new AppError(
        'conflict',
        'The policy in force, or the floor, is not what was looked at: propose it again.',
        {
          meta: { reason: 'stale_evidence' },
        },
      )
    }
    const row = await putInForce(tx, action.id, { approverId, at: now, result: { policy } })
    await put(tx, policy, action.id, now)
    await append(tx, ctx, {
      verb: 'retention.approve',
      subject: action.id,
      outcome: 'done',
      before,
      after: policy,
    })
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
  const { id } = await proposedPolicy(ctx, input.actionId)
  return endProposal(ctx, id, { outcome: 'rejected', verb: 'retention.reject', reason })
}

/** Throws `not_found` when it is no policy. */
export async function proposedPolicy(ctx: Context, id: string) {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action === null || action.kind !== POLICY_ACTION_KIND)
    throw new AppError('not_found', `There is no proposed policy ${id}.`)
  return action
}

async function put(tx: Tx, policy: PolicyParams, actionId: string, now: Date): Promise<void> {
  const { source: sourceId, tier, endpoint, ttlMs, safetyMs, archive, exception } = policy
  const data = {
    ttlMs: ttlMs === null ? null : BigInt(ttlMs),
    safetyMs: BigInt(safetyMs),
    archive,
    exception,
    actionId,
    updatedAt: now,
  }
  await tx.retentionPolicy.upsert({
    where: { sourceId_tier_endpoint: { sourceId, tier, endpoint } },
    create: { id: newId('pol'), sourceId, tier, endpoint, createdAt: now, ...data },
    update: { ...data, version: { increment: 1 } },
  })
}
