import type { Clock } from '../../clock'
import type { StoreDatabase } from './database'
import type { Transaction } from './transaction'

/**
 * Keeps the partitions of each tier made ahead: at registration, on a timer, and before a completion that would run
 * past them (after the process was stopped for long).
 */
export type PartitionKeeper = {
  registerTier(name: string, ttlMs: number): Promise<void>
  tierId(name: string): Promise<number>
  /** Makes partitions when those made ahead run out soon. */
  cover(name: string): Promise<void>
  /** The same inside the application's transaction: on its own connection, since waiting there for a second one
   * could stop a whole pool. */
  coverWithin(name: string, transaction: Transaction): Promise<void>
  ensure(name: string): Promise<void>
  close(): void
}

type Tier = { id: number; ttlMs: number; coveredUntilMs: number }

// Coverage is always at least half a TTL, so a quarter is early enough; an hour bounds the longest tiers.
const CHECK_SHARE = 4
const CHECK_MS_MAX = 3_600_000

export function createPartitionKeeper(
  db: StoreDatabase,
  clock: Clock,
  onError: (error: unknown) => void,
): PartitionKeeper {
  const tiers = new Map<string, Tier>()
  const timers = new Map<string, () => void>()
  let closed = false

  async function ensure(name: string): Promise<void> {
    const tier = await find(name)
    const { left_ms } = await db.callOne<{ left_ms: number }>('idem_partition_time_left_ms', [tier.id])
    tier.coveredUntilMs = clock.nowMs() + left_ms
  }

  async function find(name: string): Promise<Tier> {
    const known = tiers.get(name)
    if (known !== undefined) return known
    const row = await db.callOne<{ tier: number | null; ttl_ms: string }>('idem_find_tier', [name])
    if (row.tier === null)
      throw new Error(`idempotency tier ${name} is not registered: call registerTier first`)
    const tier = { id: row.tier, ttlMs: Number(row.ttl_ms), coveredUntilMs: 0 }
    tiers.set(name, tier)
    schedule(name, tier)
    return tier
  }

  function schedule(name: string, tier: Tier): void {
    if (closed) return
    timers.get(name)?.()
    const delayMs = Math.min(CHECK_MS_MAX, tier.ttlMs / CHECK_SHARE)
    const tick = () =>
      ensure(name)
        .catch(onError)
        .finally(() => schedule(name, tier))
    timers.set(name, clock.after(delayMs, tick, 'background'))
  }

  return {
    ensure,
    async registerTier(name, ttlMs) {
      const row = await db.callOne<{ idem_register_tier: number }>('idem_register_tier', [name, ttlMs])
      const tier = { id: row.idem_register_tier, ttlMs, coveredUntilMs: 0 }
      tiers.set(name, tier)
      schedule(name, tier)
      await ensure(name)
    },
    tierId: async (name) => (await find(name)).id,
    async cover(name) {
      const tier = await find(name)
      if (clock.nowMs() + tier.ttlMs / CHECK_SHARE >= tier.coveredUntilMs) await ensure(name)
    },
    async coverWithin(name, transaction) {
      const tier = await find(name)
      // Not remembered: the transaction may roll back.
      if (clock.nowMs() >= tier.coveredUntilMs)
        await db.callWithin(transaction, 'idem_partition_time_left_ms', [tier.id])
    },
    close() {
      closed = true
      for (const cancel of timers.values()) cancel()
    },
  }
}
