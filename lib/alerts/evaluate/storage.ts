import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import { env } from '@/lib/env'
import { listSources } from '@/lib/mirror/read/list-sources'
import { readCapacities } from '@/lib/retention/capacity'
import { readStorage, sumBytes, type TierStorage } from '@/lib/retention/storage'
import { partitionsUntil } from '@/lib/telemetry/read/partitions-until'
import { ago, type Family } from './family'

const DAY_MS = 86_400_000

/** Sizes and backlogs of all stores, from the samples of a day. */
const stores: Family = {
  kinds: ['storage_days', 'collection_late'],
  async find({ ctx, now, rules }) {
    const [tiers, capacities, sources] = await Promise.all([
      readStorage(ctx.db, { from: ago(now, DAY_MS), to: now }),
      readCapacities(ctx.db),
      listSources(ctx.db, now),
    ])
    const safetyMs = env().IDEMSCOPE_COLLECT_SAFETY_MS
    const { leftMs: leastMs } = termsAt(rules, 'storage_days').limits
    const { lateMs: mostMs } = termsAt(rules, 'collection_late').limits
    return sources
      .filter(({ enabled }) => enabled)
      .flatMap(({ id, name, system }): Finding[] => {
        const own = tiers.filter(({ source }) => source === id)
        const leftMs = timeLeft(own, capacities.get(id))
        const lateMs = Math.max(...own.map(({ expiryLagMs }) => (expiryLagMs ?? 0) - safetyMs))
        const about = { name, system }
        return [
          ...(leftMs !== null && leftMs < leastMs
            ? [{ kind: 'storage_days' as const, subject: id, detail: { ...about, leftMs } }]
            : []),
          ...(lateMs > mostMs
            ? [{ kind: 'collection_late' as const, subject: id, detail: { ...about, lateMs } }]
            : []),
        ]
      })
  },
}

/** Until the store is full at its growth; null = it has no limit, or does not grow, or nobody can say. */
function timeLeft(tiers: readonly TierStorage[], capacity: number | undefined): number | null {
  const bytesADay = tiers.reduce((sum, tier) => sum + (tier.bytesADay ?? 0), 0)
  const bytes = sumBytes(tiers)
  if (capacity === undefined || tiers.length === 0 || bytes === null) return null
  const free = capacity - bytes
  if (free <= 0) return 0
  return bytesADay <= 0 ? null : (free / bytesADay) * DAY_MS
}

const partitions: Family = {
  kinds: ['partitions_late'],
  async find({ ctx, now, rules }) {
    const until = await partitionsUntil(ctx.db)
    const { aheadMs } = termsAt(rules, 'partitions_late').limits
    if (until !== null && until.getTime() - now.getTime() >= aheadMs) return []
    return [{ kind: 'partitions_late', subject: 'all', detail: { until: until?.toISOString() ?? null } }]
  },
}

export const storage: readonly Family[] = [stores, partitions]
