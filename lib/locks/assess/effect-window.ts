import type { TimeRange } from '@/lib/sources/contracts'
import type { KeySettings } from '../settings'
import { aheadMs, type LeaseReading } from './holder-life'

/** A clock that is ahead is ahead by less than this, beyond what its stamps show. */
const AHEAD_MAX_MS = 3_600_000

/** When the effects of a key can have been made, on the store's clock. */
export type EffectWindow = {
  /** What a listing must cover to hold all of them. */
  made: TimeRange
  /** From then on what is not in the provider's listing does not exist. */
  settlesAt: Date
}

/**
 * An effect can have begun at any time at which somebody held the key, or a step of it began: the latest of these counts,
 * never the first acquire. A call takes up to `callMs`, and shows in a listing up to `settleDelayMs` after.
 */
export function effectWindow(reading: LeaseReading, settings: KeySettings): EffectWindow {
  const { lease, storeNow, unchangedSince } = reading
  const now = storeNow.getTime()
  const stamps = [
    lease.createdAt,
    lease.heartbeatAt,
    lease.leaseUntil,
    ...lease.effects.map((e) => e.begunAt),
  ]
  // A stamp in the future was written before the console saw it for the first time.
  const latest = (unchangedSince ?? storeNow).getTime()
  const lastMs = Math.max(...stamps.map((at) => (at.getTime() > now ? latest : at.getTime())))
  const earlier = aheadMs(reading, settings) > 0 ? AHEAD_MAX_MS : 0
  const firstMs = Math.min(lease.createdAt.getTime(), latest) - earlier
  return {
    made: {
      from: new Date(firstMs - settings.skewMs),
      to: new Date(lastMs + settings.callMs + settings.skewMs),
    },
    settlesAt: new Date(lastMs + settings.callMs + settings.settleDelayMs),
  }
}
