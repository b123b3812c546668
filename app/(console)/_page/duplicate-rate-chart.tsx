import { ChartFigure, LegendItem } from '@/app/_ui/charts/chart-figure'
import { RateLine } from '@/app/_ui/charts/lazy-charts'
import type { RatePoint } from '@/app/_ui/charts/outcome-point'
import type { ChartMark } from '@/lib/core/chart-mark'
import { countText, percentText, stepText } from '@/lib/core/format-figure'

type Props = {
  points: RatePoint[]
  bucketSeconds: number
  target: number
  marks: ChartMark[]
  syncId: string
}

/** The duplicate side-effect rate of all endpoints, as a line and as a table. */
export function DuplicateRateChart({ points, bucketSeconds, target, marks, syncId }: Props) {
  const per = `per ${stepText(bucketSeconds)}`
  return (
    <ChartFigure
      caption={`Duplicate side-effect rate, ${per}`}
      columns={['Rate', 'Twice', 'Committed effects']}
      rows={points.map(({ at, rate, numerator, denominator }) => ({
        at,
        cells: [
          rate === null ? 'not measured' : `${percentText(rate)} %`,
          countText(numerator),
          countText(denominator),
        ],
      }))}
      legend={
        <>
          <LegendItem fill="var(--bad)">All endpoints, {per}</LegendItem>
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
        marks={marks}
        drill="/effects?kind=duplicate"
        syncId={syncId}
      />
    </ChartFigure>
  )
}

type Counted = { numerator: number | string; denominator: number | string }

/** Of a step in which nothing was counted there is no rate. */
export function ratePoint(at: number, counted: Counted | undefined, complete: boolean): RatePoint {
  const [numerator, denominator] = [String(counted?.numerator ?? 0), String(counted?.denominator ?? 0)]
  const rate = counted === undefined ? null : Number(numerator) / Number(denominator)
  return { at, rate, numerator, denominator, complete }
}
