import { z } from 'zod'
import { createAction } from '@/lib/actions/create'
import { evidenceHashOf } from '@/lib/actions/evidence-hash'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { POLICY_ACTION_KIND } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { openIntentSource } from '@/lib/sources/registry'

/** Ten years: beyond it a TTL is a typing error. */
const TTL_MS_MAX = 10 * 365 * 86_400_000

export const policyParamsSchema = z.strictObject({
  source: z.string().startsWith('src_'),
  tier: z.string().max(60).default(''),
  /** `POST /v1/payments`; '' = all. */
  endpoint: z
    .string()
    .regex(/^$|^[A-Z*]+ \/\S*$/, 'METHOD /route')
    .default(''),
  ttlMs: z.int().min(60_000).max(TTL_MS_MAX).nullable().default(null),
  safetyMs: z.int().min(0).max(TTL_MS_MAX),
  archive: z.boolean(),
})
export type PolicyParams = z.infer<typeof policyParamsSchema>

const inputSchema = policyParamsSchema.extend({ reason: reasonSchema })
export type ProposePolicy = z.input<typeof inputSchema>

/**
 * Proposes a policy; it is in force when another person has approved it. What it replaces is its evidence: an approval
 * of something else is refused. Only what the source can keep is accepted.
 */
export async function proposePolicy(ctx: Context, raw: ProposePolicy): Promise<ActionView> {
  authorise(ctx, 'retention.run')
  const { reason, ...policy } = inputSchema.parse(raw)
  await assertPossible(ctx, policy)
  const before = await policyInForce(ctx.db.prisma, policy)
  const evidence = { before, after: policy }
  return ctx.db.prisma.$transaction(async (tx) => {
    const action = await createAction(tx, ctx, {
      id: newId('act'),
      kind: POLICY_ACTION_KIND,
      state: 'proposed',
      reason,
      sourceId: policy.source,
      params: policy,
      evidence,
      evidenceHash: evidenceHashOf(evidence),
    })
    await append(tx, ctx, {
      verb: 'retention.propose',
      subject: action.id,
      outcome: 'proposed',
      reason,
      before,
      after: policy,
    })
    return actionView(action)
  })
}

async function assertPossible(ctx: Context, policy: PolicyParams): Promise<void> {
  const { source, name } = await openIntentSource(ctx, policy.source)
  const { canCollect, collection = 'drop_leaves', reasons } = source.capabilities
  if (!canCollect) {
    throw new AppError(
      'unprocessable',
      `${name} is not collected from here: ${reasons?.collect ?? 'it does so itself'}`,
    )
  }
  if (collection === 'drop_leaves' && (policy.ttlMs !== null || policy.endpoint !== '')) {
    throw new AppError(
      'unprocessable',
      `${name} drops whole leaves of a tier, whose TTL the service sets itself with registerTier(name, ttlMs): a policy can set the safety buffer and the archive of a tier.`,
    )
  }
  if (collection === 'batched_delete' && policy.tier !== '')
    throw new AppError('unprocessable', `${name} has no tiers: name an endpoint.`)
}

/** What is in force now for exactly this source, tier and endpoint. */
export async function policyInForce(tx: Pick<Tx, 'retentionPolicy'>, policy: PolicyParams) {
  const { source: sourceId, tier, endpoint } = policy
  const row = await tx.retentionPolicy.findUnique({
    where: { sourceId_tier_endpoint: { sourceId, tier, endpoint } },
  })
  if (row === null) return null
  return {
    version: row.version,
    ttlMs: row.ttlMs === null ? null : Number(row.ttlMs),
    safetyMs: Number(row.safetyMs),
    archive: row.archive,
  }
}
