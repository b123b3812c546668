import type { ConditionKind, LimitsOf, Severity } from '@/lib/core/condition-kinds'
import { ratio } from '@/lib/telemetry/measures/measure'
import type { Rate } from '@/lib/telemetry/read/requests/rate-series'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Conditions that are a rate of what was counted. */
export const RATE_OF = {
  duplicate_effects: 'M2',
  store_errors: 'M3',
  unprotected_requests: 'unprotected',
  expired_key_retries: 'M5',
  redeliveries: 'M8',
} as const satisfies Partial<Record<ConditionKind, Rate>>

/** Those with a budget, which they burn. */
export const BURNING = ['duplicate_effects', 'store_errors', 'unprotected_requests'] as const
export type Burning = (typeof BURNING)[number]

export const SPANS = {
  m5: { ms: 5 * MINUTE_MS, text: '5 min' },
  m30: { ms: 30 * MINUTE_MS, text: '30 min' },
  h1: { ms: HOUR_MS, text: '1 h' },
  h6: { ms: 6 * HOUR_MS, text: '6 h' },
  d3: { ms: 72 * HOUR_MS, text: '3 d' },
} as const
export type Span = keyof typeof SPANS

/** The SRE workbook's windows: the long one says that it matters, the short one that it goes on. The fastest first. */
const WINDOWS = [
  { severity: 'page', factor: 'fast', long: 'h1', short: 'm5' },
  { severity: 'page', factor: 'slow', long: 'h6', short: 'm30' },
  { severity: 'ticket', factor: 'ticket', long: 'd3', short: 'h6' },
] as const

export type Counted = { numerator: bigint; denominator: bigint }

/** The target itself is a breach, as everywhere; a target of none at all is broken by the first. */
export function isAbove({ numerator, denominator }: Counted, bound: number): boolean {
  const value = ratio(numerator, denominator)
  return value !== null && numerator > 0n && value >= bound
}

export type Burn = { severity: Severity; short: Span; long: Span }

/** The fastest of the windows in which a budget goes too fast; null = in none. `over` is asked for what it needs. */
export function burnIn(over: (span: Span) => Counted, limits: LimitsOf<Burning>): Burn | null {
  const burns = WINDOWS.find(({ factor, long, short }) =>
    [short, long].every((span) => isAbove(over(span), limits.target * limits[factor])),
  )
  return burns === undefined ? null : { severity: burns.severity, short: burns.short, long: burns.long }
}

/** A budget is of this time; half of it gone within an hour escalates. */
const BUDGET_MS = 30 * 24 * HOUR_MS
export const HALF_IN_AN_HOUR = BUDGET_MS / HOUR_MS / 2
