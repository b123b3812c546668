import { sumBytes, type TierStorage } from './storage'

export type StoreTotal = {
  source: string
  rows: number
  /** Null = its engine has not told yet. */
  bytes: number | null
  expiredRows: number
  /** Of the key that waits longest; null = none is waiting. */
  expiryLagMs: number | null
  oldestUnexpiredAt: string | null
  /** Null = the window is too short to say. */
  bytesADay: number | null
  capacityBytes: number | null
  /** Until the capacity is full at this growth; null = not growing, not measured, or nobody has said a capacity. */
  daysLeft: number | null
}

/** A store's tiers together, and how long it lasts. Pure. */
export function storeTotals(
  tiers: readonly TierStorage[],
  capacities: ReadonlyMap<string, number>,
): StoreTotal[] {
  return [...new Set(tiers.map(({ source }) => source))].map((source) =>
    totalOf(
      source,
      tiers.filter((tier) => tier.source === source),
      capacities.get(source) ?? null,
    ),
  )
}

function totalOf(source: string, tiers: readonly TierStorage[], capacityBytes: number | null): StoreTotal {
  const sum = (pick: (tier: TierStorage) => number) => tiers.reduce((total, tier) => total + pick(tier), 0)
  const lags = tiers.flatMap(({ expiryLagMs }) => expiryLagMs ?? [])
  const oldest = tiers.flatMap(({ oldestUnexpiredAt }) => oldestUnexpiredAt ?? []).sort()
  const bytes = sumBytes(tiers)
  // One tier that was not measured long enough makes the sum too small: then nothing is said.
  const measured = tiers.every(({ bytesADay }) => bytesADay !== null)
  const bytesADay = measured ? sum((tier) => tier.bytesADay ?? 0) : null
  return {
    source,
    rows: sum((tier) => tier.rows),
    bytes,
    expiredRows: sum((tier) => tier.expiredRows),
    expiryLagMs: lags.length === 0 ? null : Math.max(...lags),
    oldestUnexpiredAt: oldest[0] ?? null,
    bytesADay,
    capacityBytes,
    daysLeft:
      capacityBytes === null || bytes === null || bytesADay === null || bytesADay <= 0
        ? null
        : Math.max(0, (capacityBytes - bytes) / bytesADay),
  }
}
