import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import { EXECUTION_OUTCOMES } from '@/lib/telemetry/measures/define-rates'
import { ratio } from '@/lib/telemetry/measures/measure'
import { readDeliveryTotals } from '@/lib/telemetry/read/delivery-totals'
import { readEffectTotals } from '@/lib/telemetry/read/effects/effect-totals'
import { readClientMismatches } from '@/lib/telemetry/read/requests/client-mismatches'
import { readRequestTotals } from '@/lib/telemetry/read/requests/request-totals'
import type { TelemetryWindow } from '@/lib/telemetry/window'
import { ago, type Family, type Look } from './family'
import { nameOf, routesOf, subjectOf, windowOf } from './routes'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** What was counted in a window; null value = there is nothing to divide by, so nothing is measured. */
type Counted = { numerator: bigint; denominator: bigint; value: number | null }
type Count = (db: Db, window: TelemetryWindow) => Promise<Counted>

const counted = (numerator: bigint, denominator: bigint): Counted => ({
  numerator,
  denominator,
  value: ratio(numerator, denominator),
})

type RequestCounter = 'requests' | 'store_operations' | 'store_errors' | 'expired_retries'

/** Sums over the outcomes of requests. */
const ofRequests =
  (top: Summed, bottom: Summed): Count =>
  async (db, window) => {
    const totals = await readRequestTotals(db, window)
    const sum = ({ counter, of }: Summed) =>
      totals.reduce((total, row) => (of?.(row.outcome) === false ? total : total + row[counter]), 0n)
    return counted(sum(top), sum(bottom))
  }
type Summed = { counter: RequestCounter; of?: (outcome: string) => boolean }

const COUNTS = {
  duplicate_effects: async (db, window) => {
    const { duplicates, committed } = await readEffectTotals(db, window)
    return counted(duplicates, committed)
  },
  store_errors: ofRequests({ counter: 'store_errors' }, { counter: 'store_operations' }),
  unprotected_requests: ofRequests(
    { counter: 'requests', of: (outcome) => outcome === 'bypassed' },
    { counter: 'requests', of: (outcome) => outcome !== 'unkeyed' },
  ),
  expired_key_retries: ofRequests(
    { counter: 'expired_retries' },
    { counter: 'requests', of: (outcome) => EXECUTION_OUTCOMES.includes(outcome) },
  ),
  redeliveries: async (db, window) => {
    const { redeliveries, messages } = await readDeliveryTotals(db, window)
    return counted(redeliveries, messages)
  },
} as const satisfies Partial<Record<ConditionKind, Count>>

const BURNING = ['duplicate_effects', 'store_errors', 'unprotected_requests'] as const
type Burning = (typeof BURNING)[number]

/** The SRE workbook's windows: the long one says that it matters, the short one that it goes on. The fastest first. */
const WINDOWS = [
  { severity: 'page', factor: 'fast', long: 'h1', short: 'm5' },
  { severity: 'page', factor: 'slow', long: 'h6', short: 'm30' },
  { severity: 'ticket', factor: 'ticket', long: 'd3', short: 'h6' },
] as const
const SPANS = {
  m5: { ms: 5 * MINUTE_MS, text: '5 min' },
  m30: { ms: 30 * MINUTE_MS, text: '30 min' },
  h1: { ms: HOUR_MS, text: '1 h' },
  h6: { ms: 6 * HOUR_MS, text: '6 h' },
  d3: { ms: 72 * HOUR_MS, text: '3 d' },
} as const
type Span = keyof typeof SPANS

/** A budget is of this time; half of it gone within an hour escalates. */
const BUDGET_MS = 30 * 24 * HOUR_MS
const HALF_IN_AN_HOUR = BUDGET_MS / HOUR_MS / 2

/** Burn rates over several windows, of each objective and route. */
const burning = (kind: Burning): Family => ({
  kinds: [kind],
  async find({ ctx, now, rules }) {
    const found = await Promise.all(
      routesOf(rules, kind).map(async (route): Promise<Finding[]> => {
        const { limits } = termsAt(rules, kind, route)
        const read = new Map<Span, Promise<Counted>>()
        const over = (span: Span) => {
          const reading = read.get(span) ?? COUNTS[kind](ctx.db, windowOf(route, now, SPANS[span].ms))
          read.set(span, reading)
          return reading
        }
        for (const { severity, factor, long, short } of WINDOWS) {
          const [shortly, longer] = await Promise.all([over(short), over(long)])
          if (!burns(shortly, limits.target, limits[factor]) || !burns(longer, limits.target, limits[factor]))
            continue
          const lastHour = await over('h1')
          const detail = {
            ...nameOf(route),
            value: shortly.value,
            numerator: Number(shortly.numerator),
            denominator: Number(shortly.denominator),
            longValue: longer.value,
            longNumerator: Number(longer.numerator),
            longDenominator: Number(longer.denominator),
            target: limits.target,
            windows: [SPANS[short].text, SPANS[long].text],
            burn: longer.value === null ? null : longer.value / limits.target,
            /** Half of the month's budget went within the hour. */
            escalated: burns(lastHour, limits.target, HALF_IN_AN_HOUR),
          }
          return [{ kind, subject: subjectOf(route), severity, detail }]
        }
        return []
      }),
    )
    return found.flat()
  },
})

/** The target itself is a breach, as everywhere; a target of none at all is broken by the first. */
const burns = ({ value, numerator }: Counted, target: number, factor: number): boolean =>
  value !== null && numerator > 0n && value >= target * factor

/** Above the target over an hour. */
const aboveTarget = (kind: 'expired_key_retries' | 'redeliveries'): Family => ({
  kinds: [kind],
  async find({ ctx, now, rules }) {
    const found = await Promise.all(
      routesOf(rules, kind).map(async (route): Promise<Finding[]> => {
        const { target } = termsAt(rules, kind, route).limits
        const { value, numerator, denominator } = await COUNTS[kind](ctx.db, windowOf(route, now, HOUR_MS))
        if (value === null || numerator === 0n || value < target) return []
        const figures = { value, numerator: Number(numerator), denominator: Number(denominator), target }
        return [{ kind, subject: subjectOf(route), detail: { ...nameOf(route), ...figures } }]
      }),
    )
    return found.flat()
  },
})

const keyReuse: Family = {
  kinds: ['key_reuse'],
  async find({ ctx, now, rules }: Look) {
    const { share, countMin } = termsAt(rules, 'key_reuse').limits
    const clients = await readClientMismatches(ctx.db, { from: ago(now, HOUR_MS), to: now })
    return clients
      .filter(
        ({ mismatches, requests }) =>
          mismatches >= countMin && requests > 0 && mismatches / requests >= share,
      )
      .map(({ client, mismatches, requests }): Finding => {
        const figures = {
          value: mismatches / requests,
          numerator: mismatches,
          denominator: requests,
          target: share,
        }
        return { kind: 'key_reuse', subject: client, detail: { name: client, ...figures } }
      })
  },
}

export const rates: readonly Family[] = [
  ...BURNING.map(burning),
  aboveTarget('expired_key_retries'),
  aboveTarget('redeliveries'),
  keyReuse,
]
