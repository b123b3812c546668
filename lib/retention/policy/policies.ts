import type { Db } from '@/lib/db'
import { env } from '@/lib/env'
import type { RowRetention } from '@/lib/sources/contracts'
import type { RetentionPolicy } from '@/prisma/generated/client'

export type PolicyView = {
  id: string
  source: string
  /** '' = all. */
  tier: string
  endpoint: string
  /** Null = as the store says itself. */
  ttlMs: number | null
  safetyMs: number
  archive: boolean
  /** Why it may collect keys that can still be replayed; null = it may not. */
  exception: string | null
  actionId: string
  version: number
  updatedAt: string
}

/** What a collection keeps to when nobody has agreed on anything: the store's own expiry, and a safety buffer. */
export const defaultPolicy = () => ({
  ttlMs: null,
  safetyMs: env().IDEMSCOPE_COLLECT_SAFETY_MS,
  archive: false,
})

/** Policies in force, of one source or all. As many as people have agreed on: no pages. */
export async function listPolicies(db: Db, sourceId?: string): Promise<PolicyView[]> {
  const rows = await db.prisma.retentionPolicy.findMany({
    where: sourceId === undefined ? {} : { sourceId },
    orderBy: [{ sourceId: 'asc' }, { tier: 'asc' }, { endpoint: 'asc' }],
  })
  return rows.map(policyView)
}

export const policyView = (row: RetentionPolicy): PolicyView => ({
  id: row.id,
  source: row.sourceId,
  tier: row.tier,
  endpoint: row.endpoint,
  ttlMs: row.ttlMs === null ? null : Number(row.ttlMs),
  safetyMs: Number(row.safetyMs),
  archive: row.archive,
  exception: row.exception,
  actionId: row.actionId,
  version: row.version,
  updatedAt: row.updatedAt.toISOString(),
})

export type TierPolicy = { safetyMs: number; archive: boolean }

/** For a partition: its tier's policy, else the source's, else the default. A partition holds all endpoints: the strictest counts. */
export function policyOfTier(policies: readonly PolicyView[], tier: string): TierPolicy {
  const found = policies.filter((policy) => policy.tier === tier || policy.tier === '')
  const own = found.filter((policy) => policy.tier === tier)
  const counted = own.length > 0 ? own : found
  if (counted.length === 0) return defaultPolicy()
  return {
    safetyMs: Math.max(...counted.map(({ safetyMs }) => safetyMs)),
    archive: counted.some(({ archive }) => archive),
  }
}

/** For a collection by rows: a TTL for each endpoint that has one. The longest safety buffer counts for all. */
export function rowRetentionOf(
  policies: readonly PolicyView[],
  providerWindowMs: number,
): RowRetention & { archive: boolean } {
  if (policies.length === 0) return { safetyMs: defaultPolicy().safetyMs, archive: false, providerWindowMs }
  const nameOf = (policy: PolicyView): string => (policy.endpoint === '' ? '*' : policy.endpoint)
  const ttlMs = Object.fromEntries(
    policies.flatMap((policy) => (policy.ttlMs === null ? [] : [[nameOf(policy), policy.ttlMs]])),
  )
  const belowFloor = policies.filter(({ exception }) => exception !== null).map(nameOf)
  return {
    providerWindowMs,
    ...(belowFloor.length === 0 ? {} : { belowFloor }),
    safetyMs: Math.max(...policies.map(({ safetyMs }) => safetyMs)),
    archive: policies.some(({ archive }) => archive),
    ...(Object.keys(ttlMs).length === 0 ? {} : { ttlMs }),
  }
}
