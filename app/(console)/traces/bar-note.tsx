import { QueryLink } from '@/app/_ui/page-link'
import { countText, plural } from '@/lib/core/format-figure'
import { TRACES_COUNTED_MAX } from '@/lib/telemetry/read/traces/count-traces'
import type { TraceQuery } from './query'

const BAR_TEXT: Record<NonNullable<TraceQuery['bar']>, string> = {
  all: 'All requests with a key',
  executed: 'Executed once',
  replayed: 'Replayed',
  conflict: 'In conflict',
  other: 'Store not asked or failed',
  again: 'Executed again',
}

/** The list behind a bar of a chart: as many as the bar counted, or why not. `count` null = not counted in time. */
export function BarNote({ query, count }: { query: TraceQuery; count: number | null }) {
  if (query.bar === null) return null
  return (
    <p role="status" className="rounded-m border border-line bg-surface px-4 py-2 shadow-card">
      <b className="font-semibold">{BAR_TEXT[query.bar]}</b>: {sayCount(count, query.counted)}{' '}
      <QueryLink set={{ bar: null, counted: null, cursor: null }} look="link">
        All of this range
      </QueryLink>
    </p>
  )
}

function sayCount(count: number | null, counted: number | null): string {
  if (count === null) return 'they could not be counted in time.'
  const found = count >= TRACES_COUNTED_MAX ? `≥ ${plural(count, 'request')}` : plural(count, 'request')
  if (counted === null) return `${found}.`
  if (counted === count) return `${found}, as the bar counted.`
  if (count >= TRACES_COUNTED_MAX) return `${found}; the bar counted ${countText(counted)}.`
  return count > counted
    ? `${found}; the bar counted ${countText(counted)} when it was drawn, and spans that come late are added to their minute.`
    : `${found}; the bar counted ${countText(counted)}, and spans are kept a shorter time than counts.`
}
