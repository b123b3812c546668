import type { TableDatabase } from './database'
import { any, isAbsent, isNot, num } from './expression'
import { SCOPE_PARTITION, TIER_PARTITION } from './layout'

export type Tiers = {
  register(name: string, ttlMs: number): Promise<void>
  /** How long a record of this tier lives. */
  ttlMs(name: string): Promise<number>
}

/** Retention classes, kept in the table so that every process and the console know them. */
export function createTiers(db: TableDatabase): Tiers {
  const known = new Map<string, number>()
  return {
    async register(name, ttlMs) {
      if (!/^[a-z][a-z0-9_]{0,30}$/.test(name)) throw new Error('tier must be a lower-case name')
      if (!Number.isSafeInteger(ttlMs) || ttlMs < 1_000)
        throw new Error('ttlMs must be a whole number from 1000')
      const value = num(ttlMs)
      // Refused = it is registered so already.
      await db.update(
        { pk: TIER_PARTITION, sk: name },
        { when: any(isAbsent('ms'), isNot('ms', value)), set: [['ms', value]] },
      )
      known.set(name, ttlMs)
    },
    async ttlMs(name) {
      const ttlMs = known.get(name)
      if (ttlMs !== undefined) return ttlMs
      const item = await db.get({ pk: TIER_PARTITION, sk: name })
      if (item?.ms?.N === undefined)
        throw new Error(`idempotency tier ${name} is not registered: call registerTier first`)
      known.set(name, Number(item.ms.N))
      return Number(item.ms.N)
    },
  }
}

const SCOPES_MAX = 10_000

/** Writes down once a process which scopes there are, so that a hold on a misspelt one is refused. */
export function createScopes(db: TableDatabase): { note(scope: string): Promise<void> } {
  const noted = new Set<string>()
  return {
    async note(scope) {
      if (noted.has(scope)) return
      if (noted.size >= SCOPES_MAX) noted.clear()
      noted.add(scope)
      try {
        await db.update({ pk: SCOPE_PARTITION, sk: scope }, { when: isAbsent('pk'), set: [] })
      } catch {
        // No request fails for it; the next one says it again.
        noted.delete(scope)
      }
    },
  }
}
