import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import type { Db } from '@/lib/db'
import { ratio } from '@/lib/telemetry/measures/measure'
import { readClientMismatches } from '@/lib/telemetry/read/requests/client-mismatches'
import { readRateTotals } from '@/lib/telemetry/read/requests/rate-series'
import {
  BURNING,
  type Burning,
  burnIn,
  type Counted,
  HALF_IN_AN_HOUR,
  isAbove,
  RATE_OF,
  SPANS,
  type Span,
} from './burn'
import { ago, type Family, type Look } from './family'
import { nameOf, type Route, routesOf, subjectOf, windowOf } from './routes'

const HOUR_MS = 3_600_000

/** What was counted over each of the spans before now. */
async function readSpans(db: Db, now: Date, kind: Burning, route: Route): Promise<(span: Span) => Counted> {
  const names = Object.keys(SPANS) as Span[]
  const counts = await Promise.all(
    names.map((span) => readRateTotals(db, { ...windowOf(route, now, SPANS[span].ms), rate: RATE_OF[kind] })),
  )
  const read = Object.fromEntries(names.map((span, index) => [span, counts[index]])) as Record<Span, Counted>
  return (span) => read[span]
}

const figures = ({ numerator, denominator }: Counted) => ({
  value: ratio(numerator, denominator),
  numerator: Number(numerator),
  denominator: Number(denominator),
})

/** Burn rates over several windows, of each objective and route. */
const burning = (kind: Burning): Family => ({
  kinds: [kind],
  async find({ ctx, now, rules }) {
    const found = await Promise.all(
      routesOf(rules, kind).map(async (route): Promise<Finding[]> => {
        const { limits } = termsAt(rules, kind, route)
        const over = await readSpans(ctx.db, now, kind, route)
        const burn = burnIn(over, limits)
        if (burn === null) return []
        const long = figures(over(burn.long))
        const detail = {
          ...nameOf(route),
          ...figures(over(burn.short)),
          longValue: long.value,
          longNumerator: long.numerator,
          longDenominator: long.denominator,
          target: limits.target,
          windows: [SPANS[burn.short].text, SPANS[burn.long].text],
          burn: long.value === null || limits.target === 0 ? null : long.value / limits.target,
          /** Half of the month's budget went within the hour. */
          escalated: isAbove(over('h1'), limits.target * HALF_IN_AN_HOUR),
        }
        return [{ kind, subject: subjectOf(route), severity: burn.severity, detail }]
      }),
    )
    return found.flat()
  },
})

/** Above the target over an hour. */
const aboveTarget = (kind: 'expired_key_retries' | 'redeliveries'): Family => ({
  kinds: [kind],
  async find({ ctx, now, rules }) {
    const found = await Promise.all(
      routesOf(rules, kind).map(async (route): Promise<Finding[]> => {
        const { target } = termsAt(rules, kind, route).limits
        const counted = await readRateTotals(ctx.db, {
          ...windowOf(route, now, HOUR_MS),
          rate: RATE_OF[kind],
        })
        if (!isAbove(counted, target)) return []
        return [
          { kind, subject: subjectOf(route), detail: { ...nameOf(route), ...figures(counted), target } },
        ]
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
        const counted = { value: mismatches / requests, numerator: mismatches, denominator: requests }
        return { kind: 'key_reuse', subject: client, detail: { name: client, ...counted, target: share } }
      })
  },
}

export const rates: readonly Family[] = [
  ...BURNING.map(burning),
  aboveTarget('expired_key_retries'),
  aboveTarget('redeliveries'),
  keyReuse,
]
