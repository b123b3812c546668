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
import { type Floor, floorOf, isBelowFloor } from './floor'

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
  /** Why rows may go that can still be replayed: a TTL below the floor needs it, and both people see it. */
  exception: z
    .string()
    .trim()
    .min(20, 'says in a sentence why keys that can still be replayed may go')
    .max(500)
    .nullable()
    .default(null),
})
export type PolicyParams = z.infer<typeof policyParamsSchema>

const inputSchema = policyParamsSchema.extend({ reason: reasonSchema })
export type ProposePolicy = z.input<typeof inputSchema>

const termsSchema = z.object({ ttlMs: z.number().nullable(), safetyMs: z.number(), archive: z.boolean() })
/** What an approval of a policy rests on, as it was stored. */
export const policyEvidenceSchema = z.object({
  before: termsSchema.nullable(),
  after: termsSchema.extend({
    source: z.string(),
    tier: z.string(),
    endpoint: z.string(),
    exception: z.string().nullable().default(null),
  }),
  floorMs: z.number().nullable().default(null),
})

/**
 * Proposes a policy; it is in force when another person has approved it. What it replaces is its evidence: an approval
 * of something else is refused. Only what the source can keep is accepted.
 */
export async function proposePolicy(ctx: Context, raw: ProposePolicy): Promise<ActionView> {
  authorise(ctx, 'retention.run')
  const { reason, ...policy } = inputSchema.parse(raw)
  const floor = await assertPossible(ctx, policy)
  const before = await policyInForce(ctx.db.prisma, policy)
  const evidence = { before, after: policy, floorMs: floor?.floorMs ?? null }
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

/** Returns the floor of its store. */
async function assertPossible(ctx: Context, policy: PolicyParams): Promise<Floor | null> {
  const store = await openIntentSource(ctx, policy.source)
  const { source, name } = store
  const { canCollect, collection = 'drop_partitions', reasons } = source.capabilities
  if (!canCollect) {
    throw new AppError(
      'unprocessable',
      `${name} is not collected from here: ${reasons?.collect ?? 'it does so itself'}`,
    )
  }
  if (collection === 'drop_partitions' && (policy.ttlMs !== null || policy.endpoint !== '')) {
    throw new AppError(
      'unprocessable',
      `${name} drops whole partitions of a tier, whose TTL the service sets itself with registerTier(name, ttlMs): a policy can set the safety buffer and the archive of a tier.`,
    )
  }
  if (collection === 'batched_delete' && policy.tier !== '')
    throw new AppError('unprocessable', `${name} has no tiers: name an endpoint.`)
  const floor = await floorOf(ctx, store)
  assertFloor(policy, floor)
  return floor
}

function assertFloor(policy: PolicyParams, floor: Floor | null): void {
  const { ttlMs, exception } = policy
  if (exception !== null && ttlMs === null)
    throw new AppError('unprocessable', 'Nothing goes sooner without a TTL: an exception has no use here.')
  if (exception !== null || floor === null || !isBelowFloor(policy, floor)) return
  const hours = (ms: number): string => `${Math.round(ms / 36_000) / 100} h`
  throw new AppError(
    'unprocessable',
    `A TTL of ${hours(ttlMs ?? 0)} is below the floor of ${hours(floor.floorMs)}, up to which its keys can be replayed: the store’s own expiry, or the provider’s window of ${hours(floor.providerWindowMs)}. A retry after that executes again. Keep them longer, or say in an exception why that is right; both people see it.`,
    { meta: { reason: 'below_floor', floorMs: floor.floorMs } },
  )
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
    exception: row.exception,
  }
}
