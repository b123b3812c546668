import {
  ageText,
  countText,
  latencyParts,
  latencyText,
  percentText,
  targetPercentText,
} from '@/lib/core/format-figure'
import { formatMoney } from '@/lib/core/money'
import type { Stale, Standing } from '@/lib/core/verdict'
import { staleStore, storeStateOf } from '@/lib/mirror/read/list-sources'
import { type Measure, type MeasureId, standingOf } from '@/lib/telemetry/measures/measure'
import { staleTelemetry } from '@/lib/telemetry/read/freshness'
import type { NowData } from './read-now'
import { countSpark, latencySpark, rateSpark } from './sparks'
import { measureOf } from './verdict'

export type Tile = {
  id: string
  title: string
  standing: Standing
  /** Null = `empty` stands in its place, and `facts` says why. */
  value: string | null
  empty?: 'Not connected' | 'Not read yet'
  unit: string
  facts: string[]
  stale: Stale | null
  /** The list behind the figure. */
  href: string
  spark: (number | null)[]
  /** Ages of what is stuck, instead of a course. */
  ages?: number[]
}

/** The six figures, in the order in which they matter. */
export function buildTiles(data: NowData): Tile[] {
  const of = (id: MeasureId): Measure => measureOf(data, id)
  const stale = staleTelemetry(data.freshness, data.range)
  const rate = (id: 'M1' | 'M2' | 'M3', title: string, href: string, breach: Breach, more: string[] = []) =>
    rateTile(of(id), { title, href, breach, more, stale, spark: rateSpark(data, id) })
  return [
    rate('M2', 'Duplicate side effects', '/effects?kind=duplicate', 'bad', unseen(data)),
    rate('M1', 'Duplicate requests', '/traces?bar=replayed', 'warn', coverage(of('M1'))),
    latencyTile(of('M4'), stale, latencySpark(data)),
    rate('M3', 'Store errors', '/traces?bar=other', 'bad'),
    locksTile(data),
    orphansTile(of('M6'), data, stale),
  ]
}

type Breach = 'bad' | 'warn'
type RateFacts = {
  title: string
  href: string
  breach: Breach
  more: string[]
  stale: Stale | null
  spark: (number | null)[]
}

function rateTile(measure: Measure, { title, href, breach, more, stale, spark }: RateFacts): Tile {
  const { value, numerator, denominator, target } = measure
  const facts =
    value === null || numerator === null || denominator === null
      ? [measure.reason ?? 'no reason given']
      : [
          `${countText(numerator)} of ${countText(denominator)}`,
          ...(target === null ? [] : [`target ${targetPercentText(target)} %`]),
          ...more,
        ]
  return {
    id: measure.id,
    title,
    standing: standingOf(measure.state, breach, stale),
    value: value === null ? null : percentText(value),
    unit: '%',
    facts,
    stale,
    href,
    spark,
  }
}

/** Spans do not tell of every duplicate: why Effects, where this tile leads, may list more than are counted here. */
const unseen = ({ unseenDuplicates: count }: NowData): string[] =>
  count === 0 ? [] : [`${countText(count)} more found by reconciliation`]

/** M1 rests on the requests that carry a key at all. */
function coverage(measure: Measure): string[] {
  const share = measure.detail.coverage
  return typeof share === 'number' ? [`${percentText(share)} % carry a key`] : []
}

function latencyTile(measure: Measure, stale: Stale | null, spark: (number | null)[]): Tile {
  const { value, target, detail } = measure
  const parts = value === null ? null : latencyParts(value)
  const facts =
    parts === null
      ? [measure.reason ?? 'no reason given']
      : [
          ...(typeof detail.p99 === 'number' ? [`P99 ${latencyText(detail.p99)}`] : []),
          ...(target === null ? [] : [`target P95 ${latencyText(target).replace('.00', '')}`]),
          ...(typeof detail.openOlderThanTarget === 'number' && detail.openOlderThanTarget > 0
            ? [`${countText(detail.openOlderThanTarget)} open longer`]
            : []),
        ]
  return {
    id: measure.id,
    title: 'Intent to final',
    href: '/traces',
    standing: standingOf(measure.state, 'warn', stale),
    value: parts?.value ?? null,
    unit: parts === null ? '' : `${parts.unit} P95`,
    facts,
    stale,
    spark,
  }
}

function locksTile({ locks, sources, now }: NowData): Tile {
  const base = { id: 'locks', title: 'Stuck locks', href: '/locks', unit: '', spark: [] }
  const store = storeStateOf(sources)
  if (store !== 'read') {
    const connected = store === 'not_read'
    return {
      ...base,
      standing: 'unknown',
      value: null,
      empty: connected ? 'Not read yet' : 'Not connected',
      facts: [connected ? 'the idempotency store was not read yet' : 'no idempotency store is connected'],
      stale: null,
    }
  }
  const stale = staleStore(sources)
  const safe = locks.stuckItems.filter(
    ({ verdict }) => verdict === 'release' || verdict === 'complete',
  ).length
  const facts =
    locks.stuck === 0
      ? [
          locks.more
            ? `more than ${countText(locks.live)} held, none of these past its lease`
            : `${countText(locks.live)} held, none past its lease`,
        ]
      : [
          ...(locks.oldestStuckAt === null
            ? []
            : [`oldest ${ageText(now.getTime() - locks.oldestStuckAt.getTime())}`]),
          `${countText(safe)} safe to settle`,
          ...(locks.investigate > 0 ? [`${countText(locks.investigate)} to investigate`] : []),
          ...(locks.more ? ['more are held than are listed'] : []),
        ]
  const standing = locks.stuck > 0 ? 'warn' : stale === null ? 'ok' : 'stale'
  const ages = locks.stuckItems.map(({ age }) => age)
  return { ...base, standing, value: `${countText(locks.stuck)}${locks.more ? '+' : ''}`, facts, stale, ages }
}

function orphansTile(measure: Measure, data: NowData, stale: Stale | null): Tile {
  const { amounts, more, oldestAt } = data.orphans
  const open = measure.detail.open as number | string
  const facts =
    measure.value === null
      ? [measure.reason ?? 'no reason given']
      : [
          `${countText(open)} open`,
          ...(amounts.length === 0
            ? ['target 0']
            : [`${more ? '≥ ' : ''}${amounts.map((amount) => formatMoney(amount)).join(', ')}`]),
          ...(oldestAt === null ? [] : [`oldest ${ageText(data.now.getTime() - oldestAt.getTime())}`]),
        ]
  return {
    id: measure.id,
    title: 'Orphaned effects',
    href: '/effects?kind=orphan',
    standing: standingOf(measure.state, 'bad', stale),
    value: measure.value === null ? null : countText(measure.value),
    unit: '',
    facts,
    stale,
    spark: measure.value === null ? [] : countSpark(data),
  }
}
