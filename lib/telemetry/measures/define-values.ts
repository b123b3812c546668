import type { StoreGrowthRow } from '../read/store-growth'
import { type Bucket, PERCENTILE_ERROR_MAX, percentileMs } from '../rollup/histogram'
import { DAY_MS } from '../window'
import {
  MEASURES,
  type Measure,
  type MeasureContext,
  measured,
  notMeasured,
  toCount,
  whyNot,
} from './measure'

/** `buckets` ascend. */
export function intentToFinal(buckets: readonly Bucket[], context: MeasureContext): Measure {
  const count = buckets.reduce((total, each) => total + each.count, 0n)
  const p95 = percentileMs(buckets, 0.95)
  const detail = {
    p50: percentileMs(buckets, 0.5),
    p95,
    p99: percentileMs(buckets, 0.99),
    count: toCount(count),
    percentileErrorMax: PERCENTILE_ERROR_MAX,
    openOlderThanTarget: context.inputs.openKeysOlderThanTarget ?? null,
  }
  if (p95 === null)
    return notMeasured('M4', whyNot(context, 'no key reached its terminal record in this window'), detail)
  return { ...measured('M4', { numerator: 0n, denominator: count, value: p95 }, detail), numerator: null }
}

export function corrections(context: MeasureContext): Measure {
  const known = context.inputs.corrections
  if (known === undefined || known === null)
    return notMeasured('M7', 'no reconciliation has reported corrections')
  const days = (context.window.to.getTime() - context.window.from.getTime()) / DAY_MS
  return {
    id: 'M7',
    ...MEASURES.M7,
    value: known.executed / days,
    numerator: known.executed,
    denominator: days,
    state: 'ok',
    detail: { byClass: known.byClass },
  }
}

/** The week before the window's end, however long the window is: an hour of no pages is no quiet week. */
export function pages(context: MeasureContext): Measure {
  const count = context.inputs.pages
  if (count === undefined || count === null) return notMeasured('M10', 'no receiver that pages is connected')
  // The objective is 0–1 a week, so one page is still within it.
  const state = count > MEASURES.M10.target ? 'breach' : 'ok'
  return { id: 'M10', ...MEASURES.M10, value: count, numerator: count, denominator: 1, state, detail: {} }
}

function tierGrowth(row: StoreGrowthRow) {
  const days = (row.last_at.getTime() - row.first_at.getTime()) / DAY_MS
  const perDay = (last: bigint, first: bigint) => (days > 0 ? Number(last - first) / days : null)
  return {
    source: row.source_id,
    tier: row.tier,
    rows: toCount(row.last_rows),
    bytes: toCount(row.last_bytes),
    rowsPerDay: perDay(row.last_rows, row.first_rows),
    bytesPerDay: perDay(row.last_bytes, row.first_bytes),
    expiredBacklog: toCount(row.expired_rows),
    oldestAt: row.oldest_at?.toISOString() ?? null,
    oldestExpiredAt: row.oldest_expired_at?.toISOString() ?? null,
    sampledAt: row.last_at.toISOString(),
  }
}

/** Net growth of each tier between its first and its last sample in the window; two samples are needed. */
export function storeGrowth(rows: readonly StoreGrowthRow[]): Measure {
  const tiers = rows.map(tierGrowth)
  const expiredBacklog = toCount(rows.reduce((total, row) => total + row.expired_rows, 0n))
  const grown = tiers.filter((tier) => tier.rowsPerDay !== null)
  const total = (pick: (tier: (typeof tiers)[number]) => number | null) =>
    grown.reduce((sum, tier) => sum + (pick(tier) ?? 0), 0)
  const bytesPerDay = grown.length > 0 ? total((tier) => tier.bytesPerDay) : null
  const detail = { tiers, bytesPerDay, expiredBacklog }
  if (rows.length === 0) return notMeasured('M9', 'no store was sampled in this window', detail)
  if (grown.length === 0) return notMeasured('M9', 'growth needs two samples in this window', detail)
  const value = total((tier) => tier.rowsPerDay)
  return { id: 'M9', ...MEASURES.M9, value, numerator: null, denominator: null, state: 'ok', detail }
}
