import { Card } from '@/app/_ui/card'
import { ChartFigure, LegendItem } from '@/app/_ui/charts/chart-figure'
import type { ChartMark } from '@/app/_ui/charts/chart-mark'
import { RateLine } from '@/app/_ui/charts/lazy-charts'
import type { RatePoint } from '@/app/_ui/charts/outcome-point'
import { countText, durationText, percentText, timesText } from '@/lib/core/format-figure'
import { MEASURES } from '@/lib/telemetry/measures/measure'
import { CHARTS, stepText } from './chart-facts'
import type { NowData } from './read-now'
import { measureOf } from './verdict'

export function RateCard({ data, marks }: { data: NowData; marks: readonly ChartMark[] }) {
  const { buckets, bucketSeconds } = data.outcomes
  const counted = new Map(data.rates.M2.points.map((point) => [point.at.getTime(), point]))
  const points: RatePoint[] = buckets.map(({ at, complete }) => {
    const point = counted.get(at.getTime())
    const [numerator, denominator] = [String(point?.numerator ?? 0), String(point?.denominator ?? 0)]
    return {
      at: at.getTime(),
      complete,
      numerator,
      denominator,
      rate: point ? Number(numerator) / Number(denominator) : null,
    }
  })
  const { target } = MEASURES.M2
  return (
    <Card id="duplicate-rate" title="Duplicate side-effect rate" aside={burnText(data)}>
      <ChartFigure
        caption={`Duplicate side-effect rate, per ${stepText(bucketSeconds)}, times in UTC`}
        columns={['Time', 'Rate', 'Twice', 'Committed effects']}
        rows={points.map(({ at, rate, numerator, denominator }) => [
          new Date(at).toISOString().slice(0, 16),
          rate === null ? 'not measured' : `${percentText(rate)} %`,
          countText(numerator),
          countText(denominator),
        ])}
        legend={
          <>
            <LegendItem fill="var(--bad)">All endpoints, per {stepText(bucketSeconds)}</LegendItem>
            <span className="inline-flex items-center gap-1.5">
              <span aria-hidden="true" className="w-4 border-ink-2 border-t border-dashed" /> Target
            </span>
          </>
        }
      >
        <RateLine
          points={points}
          bucketMs={bucketSeconds * 1000}
          target={target}
          stroke="var(--bad)"
          marks={[...marks]}
          drill="/effects?kind=duplicate"
          syncId={CHARTS}
        />
      </ChartFigure>
    </Card>
  )
}

/** How many times faster than the target allows the budget goes: 1× is exactly at the target. */
function burnText(data: NowData): string {
  const { value, target } = measureOf(data, 'M2')
  const span = durationText(data.range.to.getTime() - data.range.from.getTime())
  return value === null || target === null ? 'not measured' : `burn ${timesText(value / target)} over ${span}`
}
