import type { OrphanTotals } from '../read/effects/orphan-totals'
import type { RequestTotals } from '../read/requests/request-totals'
import { KEYED_REQUEST_DAYS } from '../retention'
import { DAY_MS } from '../window'
import {
  MEASURES,
  type Measure,
  type MeasureContext,
  measured,
  notMeasured,
  ratio,
  toCount,
  whyNot,
} from './measure'

/** M1's numerator. 'observed_again' is a later keyed request of a key whose service sends no outcome. */
export const DUPLICATE_OUTCOMES: readonly string[] = [
  'replayed',
  'in_progress',
  'mismatch',
  'waited',
  'takeover',
  'observed_again',
]
/** Keyed requests that M1 leaves out: the store had no say in them, or an operator's hold stopped them. */
export const UNCOUNTED_OUTCOMES: readonly string[] = ['bypassed', 'store_error', 'held', 'unkeyed']
export const EXECUTION_OUTCOMES: readonly string[] = ['executed', 'takeover']

/** How long after its record expired a key may still be retried; the M5 horizon is the longest TTL plus this. */
const RETRY_WINDOW_MS = DAY_MS

type Totals = readonly RequestTotals[]
type Counter = 'requests' | 'store_operations' | 'store_errors' | 'expired_retries'

function sum(totals: Totals, counter: Counter, keep: (outcome: string) => boolean = () => true): bigint {
  return totals.reduce((total, row) => (keep(row.outcome) ? total + row[counter] : total), 0n)
}

export function duplicateRequests(
  totals: Totals,
  coverage: { keyed: bigint; all: bigint },
  context: MeasureContext,
): Measure {
  const numerator = sum(totals, 'requests', (outcome) => DUPLICATE_OUTCOMES.includes(outcome))
  const denominator = sum(totals, 'requests', (outcome) => !UNCOUNTED_OUTCOMES.includes(outcome))
  const detail = {
    coverage: ratio(coverage.keyed, coverage.all),
    keyedRequests: toCount(coverage.keyed),
    requestsOfKeyedRoutes: toCount(coverage.all),
    byOutcome: Object.fromEntries(totals.map((row) => [row.outcome, toCount(row.requests)])),
  }
  const value = ratio(numerator, denominator)
  if (value === null) return notMeasured('M1', whyNot(context, 'no keyed requests in this window'), detail)
  return measured('M1', { numerator, denominator, value }, detail)
}

export function duplicateEffects(
  effects: { committed: bigint; duplicates: bigint },
  context: MeasureContext,
): Measure {
  const detail = { confirmedDuplicateSemantic: context.inputs.confirmedDuplicateSemantic ?? null }
  const value = ratio(effects.duplicates, effects.committed)
  if (value === null) return notMeasured('M2', whyNot(context, 'no committed effects in this window'), detail)
  return measured('M2', { numerator: effects.duplicates, denominator: effects.committed, value }, detail)
}

/** Messages = those first processed in the window; a redelivery may be of a message of an earlier one. */
export function duplicateDeliveries(
  deliveries: { messages: bigint; redeliveries: bigint },
  context: MeasureContext,
): Measure {
  const { messages, redeliveries } = deliveries
  const detail = { messages: toCount(messages), redeliveries: toCount(redeliveries) }
  const value = ratio(redeliveries, messages)
  if (value === null) {
    const none =
      redeliveries > 0n ? 'only redeliveries in this window' : 'no messages were processed in this window'
    return notMeasured('M8', whyNot(context, none), detail)
  }
  return measured('M8', { numerator: redeliveries, denominator: messages, value }, detail)
}

export function storeErrors(totals: Totals, context: MeasureContext): Measure {
  const numerator = sum(totals, 'store_errors')
  const denominator = sum(totals, 'store_operations')
  const value = ratio(numerator, denominator)
  if (value === null)
    return notMeasured('M3', whyNot(context, 'no store operations were reported in this window'))
  return measured('M3', { numerator, denominator, value })
}

export function expiredRetries(totals: Totals, context: MeasureContext): Measure {
  const numerator = sum(totals, 'expired_retries')
  const denominator = sum(totals, 'requests', (outcome) => EXECUTION_OUTCOMES.includes(outcome))
  const horizonMs = context.inputs.keyedRequestRetentionMs ?? KEYED_REQUEST_DAYS * DAY_MS
  const ttlMaxMs = totals.reduce(
    (max, row) => (row.ttl_max_ms !== null && row.ttl_max_ms > max ? row.ttl_max_ms : max),
    0n,
  )
  const requiredMs = Number(ttlMaxMs) + RETRY_WINDOW_MS
  const detail = { horizonMs, requiredMs, keyedRequestsSince: context.since?.toISOString() ?? null }
  const value = ratio(numerator, denominator)
  if (value === null) return notMeasured('M5', whyNot(context, 'no executions in this window'), detail)
  if (horizonMs < requiredMs) {
    return notMeasured('M5', 'keyed requests are not kept for the longest TTL and the retry window', detail)
  }
  return measured('M5', { numerator, denominator, value: value * 10_000 }, detail)
}

/** Breach on any orphan, found in the window or open now: the target is none. */
export function orphanedEffects(orphans: OrphanTotals, committed: bigint, context: MeasureContext): Measure {
  const detail = { open: toCount(orphans.open) }
  if (!orphans.known || (!context.arrived && orphans.detected === 0n && orphans.open === 0n)) {
    return notMeasured('M6', whyNot(context, 'no effects are known'), detail)
  }
  const none = orphans.detected === 0n && orphans.open === 0n
  return {
    id: 'M6',
    ...MEASURES.M6,
    value: Number(orphans.detected),
    numerator: toCount(orphans.detected),
    denominator: toCount(committed),
    state: none ? 'ok' : 'breach',
    detail,
  }
}
