import type { Db } from '@/lib/db'
import type { ScopeFacts } from '@/lib/mirror/read/scope-facts'
import type { IntentSource } from '@/lib/sources/contracts'

/** Handlers take some of it: a record lives for so much of the time from its first acquire to its expiry. */
const KEPT_SHARE = 0.9

/**
 * How long a store keeps records of a scope at least: the shortest of all that is known, since whoever wrote a record may have kept
 * it for the least. null = nothing is known.
 */
export async function readKeptMs(
  db: Db,
  { id, source }: { id: string; source: Pick<IntentSource, 'recordsKeptMs'> },
  facts: Pick<ScopeFacts, 'keptMs'>,
  named: number | undefined,
): Promise<number | null> {
  const [ofStore, policies] = await Promise.all([
    source.recordsKeptMs?.() ?? null,
    db.prisma.retentionPolicy.findMany({
      where: { sourceId: id, ttlMs: { not: null } },
      select: { ttlMs: true },
    }),
  ])
  const seen = facts.keptMs === null ? null : facts.keptMs * KEPT_SHARE
  const known = [named ?? null, ofStore, seen].filter((ms) => ms !== null)
  if (known.length === 0) return null
  return Math.min(...known, ...policies.map(({ ttlMs }) => Number(ttlMs)))
}
