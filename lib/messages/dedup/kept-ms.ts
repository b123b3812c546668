import { scopeParts } from '@/lib/core/scope'
import type { Db } from '@/lib/db'
import type { ScopeFacts } from '@/lib/mirror/read/scope-facts'
import type { IntentSource } from '@/lib/sources/contracts'

type Store = { id: string; source: Pick<IntentSource, 'recordsKeptMs'> }

/** Handlers take some of it: a record lives for so much of the time from its first acquire to its expiry. */
const KEPT_SHARE = 0.9

/**
 * How long a store keeps records of a scope at least: the shortest of all that is known, since whoever wrote a record may have kept
 * it for the least. null = nothing is known.
 */
export async function readKeptMs(
  db: Db,
  { id, source }: Store,
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

/**
 * How long records of a scope are kept as far as it shows: by its own latest keys and what is named, which say more of it than the
 * shortest tier of its store does. null = nothing is known.
 */
export async function readScopeKeptMs(
  db: Db,
  { id, source }: Store,
  scope: string,
  { keptMs: seen }: Pick<ScopeFacts, 'keptMs'>,
  named: number | undefined,
): Promise<number | null> {
  const own = [named ?? null, seen].filter((ms) => ms !== null)
  const kept = own.length > 0 ? Math.min(...own) : ((await source.recordsKeptMs?.()) ?? null)
  if (kept === null) return null
  const policies = await db.prisma.retentionPolicy.findMany({
    where: { sourceId: id, ttlMs: { not: null }, endpoint: { in: ['', scopeParts(scope).endpoint] } },
    select: { ttlMs: true },
  })
  return Math.min(kept, ...policies.map(({ ttlMs }) => Number(ttlMs)))
}
