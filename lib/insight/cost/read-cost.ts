import type { Db } from '@/lib/db'
import { listPolicies, type PolicyView } from '@/lib/retention/policy/policies'
import { monthlyCost, type Price, readPrices, sumCosts } from '@/lib/retention/price'
import { readStorage, sumBytes } from '@/lib/retention/storage'
import { type Count, toCount } from '@/lib/telemetry/measures/measure'
import { readAvoided } from '@/lib/telemetry/read/requests/avoided'

export type TierCost = {
  source: string
  tier: string
  rows: number
  /** Null = its engine has not told yet. */
  bytes: number | null
  /** Null = the tier is empty, or its size is not known. */
  bytesPerRow: number | null
  /** As two people agreed; null = as the service sets it. */
  ttlMs: number | null
  /** Null = no price was entered, or its size is not known. */
  costPerMonth: Price | null
  sampledAt: string
}

export type StorageCost = {
  tiers: TierCost[]
  /** Null = of one of them it is not known. */
  bytes: number | null
  /** By currency, of the stores that have a price. */
  costPerMonth: Price[]
  /** Stores whose price nobody has entered. */
  unpriced: string[]
}

type Window = { from: Date; to: Date }

/** What is stored by tier, as it was last sampled in the window, and what that costs a month. */
export async function readStorageCost(db: Db, window: Window): Promise<StorageCost> {
  const [storage, prices, policies] = await Promise.all([
    readStorage(db, window),
    readPrices(db),
    listPolicies(db),
  ])
  const tiers = storage.map(({ source, tier, rows, bytes, sampledAt }): TierCost => {
    const price = prices.get(source)
    return {
      source,
      tier,
      rows,
      bytes,
      bytesPerRow: rows === 0 || bytes === null ? null : bytes / rows,
      ttlMs: ttlOf(policies, source, tier),
      costPerMonth: price === undefined || bytes === null ? null : monthlyCost(bytes, price),
      sampledAt,
    }
  })
  return {
    tiers,
    bytes: sumBytes(tiers),
    costPerMonth: sumCosts(tiers.flatMap(({ costPerMonth }) => costPerMonth ?? [])),
    unpriced: [...new Set(tiers.map(({ source }) => source))].filter((source) => !prices.has(source)),
  }
}

function ttlOf(policies: readonly PolicyView[], source: string, tier: string): number | null {
  const found = policies.filter((policy) => policy.source === source && policy.endpoint === '')
  return (
    (found.find((policy) => policy.tier === tier) ?? found.find((policy) => policy.tier === ''))?.ttlMs ??
    null
  )
}

export type AvoidedByEndpoint = { endpoint: string; avoided: Count; executedAgain: Count }

/** Requests that the stored records kept from executing again, by endpoint; empty = no keyed request came. */
export async function readDuplicatesAvoided(db: Db, window: Window): Promise<AvoidedByEndpoint[]> {
  const rows = await readAvoided(db, window)
  return rows.map(({ endpoint, avoided, executed_again: again }) => ({
    endpoint,
    avoided: toCount(avoided),
    executedAgain: toCount(again),
  }))
}

/** Bytes of a record in a store, over all its tiers; null = it holds none, or was not measured. */
export function bytesPerRowOf({ tiers }: Pick<StorageCost, 'tiers'>, source: string): number | null {
  const own = tiers.filter((tier) => tier.source === source)
  const rows = own.reduce((sum, tier) => sum + tier.rows, 0)
  const bytes = sumBytes(own)
  return rows === 0 || bytes === null ? null : bytes / rows
}
