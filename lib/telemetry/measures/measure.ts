import type { Stale, Standing } from '@/lib/core/verdict'

/** A count that JSON carries exactly: a number up to 2^53 − 1, a decimal string beyond. */
export type Count = number | string

export type MeasureId = 'M1' | 'M2' | 'M3' | 'M4' | 'M5' | 'M6' | 'M7' | 'M8' | 'M9' | 'M10'

export type Measure = {
  id: MeasureId
  name: string
  /** null = not measured; never 0 in its place */
  value: number | null
  numerator: Count | null
  denominator: Count | null
  unit: 'ratio' | 'ms' | 'per 10,000 executions' | 'effects' | 'corrections/day' | 'rows/day' | 'pages/week'
  /** null = no numeric objective */
  target: number | null
  state: 'ok' | 'breach' | 'not measured'
  reason?: string
  detail: Record<string, unknown>
}

type Definition = Pick<Measure, 'name' | 'unit' | 'target'>

/** Definitions and default objectives: stores.md, "The ten measures". A target is an upper bound. */
export const MEASURES = {
  M1: { name: 'Duplicate request rate', unit: 'ratio', target: 0.001 },
  M2: { name: 'Duplicate side-effect rate', unit: 'ratio', target: 0.0001 },
  M3: { name: 'Store error rate', unit: 'ratio', target: 0.001 },
  M4: { name: 'Intent-to-final latency', unit: 'ms', target: 2000 },
  M5: { name: 'Expired-key retries', unit: 'per 10,000 executions', target: 1 },
  M6: { name: 'Orphaned side effects', unit: 'effects', target: 0 },
  M7: { name: 'Reconciliation corrections', unit: 'corrections/day', target: null },
  M8: { name: 'Consumer duplicate deliveries', unit: 'ratio', target: 0.05 },
  M9: { name: 'Store growth', unit: 'rows/day', target: null },
  M10: { name: 'Pages for duplicates', unit: 'pages/week', target: 1 },
} as const satisfies Record<MeasureId, Definition>

export function toCount(value: bigint): Count {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= -BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString()
}

/** Exact to 17 digits whatever the size of the parts; null when there is nothing to divide by. */
export function ratio(numerator: bigint, denominator: bigint): number | null {
  if (denominator === 0n) return null
  const whole = numerator / denominator
  const rest = numerator % denominator
  return Number(whole) + Number(rest) / Number(denominator)
}

export function notMeasured(id: MeasureId, reason: string, detail: Record<string, unknown> = {}): Measure {
  return {
    id,
    ...MEASURES[id],
    value: null,
    numerator: null,
    denominator: null,
    state: 'not measured',
    reason,
    detail,
  }
}

/** What other parts of the console know and the telemetry does not; null or absent = not known. */
export type MeasureInputs = {
  openKeysOlderThanTarget?: number | null
  /** confirmed by reconciliation in the window, shown beside M2 */
  confirmedDuplicateSemantic?: number | null
  corrections?: { executed: number; byClass: Record<string, number> } | null
  /** paging notifications of duplicates in the 7 days before the window's end */
  pages?: number | null
  /** default: KEYED_REQUEST_DAYS of retention.ts */
  keyedRequestRetentionMs?: number
}

export type MeasureContext = {
  /** any span of the window arrived */
  arrived: boolean
  inputs: MeasureInputs
  now: Date
  /** start of the oldest keyed request kept */
  since: Date | null
  window: { from: Date; to: Date }
}

/** A measured rate against its target: the target itself is a breach, the objective is "below". */
export function measured(
  id: MeasureId,
  parts: { numerator: bigint; denominator: bigint; value: number },
  detail: Record<string, unknown> = {},
): Measure {
  const { target } = MEASURES[id]
  return {
    id,
    ...MEASURES[id],
    value: parts.value,
    numerator: toCount(parts.numerator),
    denominator: toCount(parts.denominator),
    state: target !== null && parts.value >= target ? 'breach' : 'ok',
    detail,
  }
}

export function whyNot(context: MeasureContext, none: string): string {
  return context.arrived ? none : 'no telemetry arrived for this window'
}

/** Good news needs fresh data; bad news does not. */
export function standingOf(state: Measure['state'], breach: 'bad' | 'warn', stale: Stale | null): Standing {
  if (state === 'not measured') return 'unknown'
  if (state === 'breach') return breach
  return stale === null ? 'ok' : 'stale'
}
