import { AppError } from '@/lib/core/errors'
import { env } from '@/lib/env'
import type { Rule } from './rules/rules'

/** What reconciliation classifies by. Times in ms. */
export type ReconcileSettings = {
  keySecret: string
  /** How long after it happened an effect may not be visible at the provider. */
  settleDelayMs: number
  /** The longest call to the provider, all repeats included: until then what was begun may still come. */
  callMs: number
  /** How far the clocks of us, the stores and the provider may be apart. */
  clockSkewMs: number
  /** What is merely not there yet is pending for this long, then a break. */
  breakOnMs: number
  /** A lease is dead when it passed at least this long ago. */
  leaseGraceMs: number
  /** A run that would open more new cases opens none. */
  floodCap: number
  /** How far back a provider is listed when it is read for the first time. */
  backfillMs: number
  /** What may differ, and for how long; read from the console's database by whoever classifies. */
  rules?: readonly Rule[]
  /** The longest range of a provider's time that one worker takes at once. Default six hours. */
  rangeMs?: number
}

const BACKFILL_MS = 24 * 3_600_000

export function reconcileSettings(): ReconcileSettings {
  const e = env()
  if (e.IDEMSCOPE_KEY_SECRET === undefined) {
    throw new AppError('invalid', 'IDEMSCOPE_KEY_SECRET is not set: keys cannot be matched with telemetry.')
  }
  return {
    keySecret: e.IDEMSCOPE_KEY_SECRET,
    settleDelayMs: e.IDEMSCOPE_SETTLE_DELAY_MS,
    callMs: e.IDEMSCOPE_PROVIDER_CALL_MS,
    clockSkewMs: e.IDEMSCOPE_CLOCK_SKEW_MS,
    breakOnMs: e.IDEMSCOPE_BREAK_ON_MS,
    leaseGraceMs: e.IDEMSCOPE_LEASE_GRACE_MS,
    floodCap: e.IDEMSCOPE_FLOOD_CAP,
    backfillMs: BACKFILL_MS,
  }
}
