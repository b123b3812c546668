import { Card } from '@/app/_ui/card'
import { ChartFigure, LegendItem } from '@/app/_ui/charts/chart-figure'
import { OutcomeBars } from '@/app/_ui/charts/lazy-charts'
import { type OUTCOMES, type OutcomePoint, outcomesOf } from '@/app/_ui/charts/outcome-point'
import type { NowData } from '@/lib/alerts/now/read-now'
import { measureOf } from '@/lib/alerts/now/verdict'
import type { ChartMark } from '@/lib/core/chart-mark'
import { countText, durationText, stepText, timesText } from '@/lib/core/format-figure'
import { DuplicateRateChart, ratePoint } from '../_page/duplicate-rate-chart'

/** The crosshair of one chart stands on the other too. */
const CROSSHAIR = 'now'

type Props = { data: NowData; marks: ChartMark[] }

export function OutcomeCard({ data, marks }: Props) {
  const { buckets, bucketSeconds } = data.outcomes
  const points: OutcomePoint[] = buckets.map(({ at, executedAgain, ...bucket }) => ({
    ...bucket,
    at: at.getTime(),
    again: executedAgain,
  }))
  const shown = outcomesOf(points)
  const total = (key: (typeof OUTCOMES)[number]['key']) => points.reduce((sum, point) => sum + point[key], 0)
  const per = `per ${stepText(bucketSeconds)}`
  return (
    <Card id="outcomes" title="Requests by outcome" aside={per}>
      <ChartFigure
        caption={`Requests by outcome, ${per}`}
        columns={shown.map(({ label }) => label)}
        rows={points.map((point) => ({
          at: point.at,
          cells: shown.map(({ key }) => (point.ingested ? countText(point[key]) : 'not measured')),
        }))}
        legend={shown.map(({ key, label, fill }) => (
          <LegendItem key={key} fill={fill}>
            {label} <span className="text-ink-3">{countText(total(key))}</span>
          </LegendItem>
        ))}
      >
        <OutcomeBars
          points={points}
          bucketMs={bucketSeconds * 1000}
          marks={marks}
          drill="/traces"
          syncId={CROSSHAIR}
        />
      </ChartFigure>
    </Card>
  )
}

export function RateCard({ data, marks }: Props) {
  const { buckets, bucketSeconds } = data.outcomes
  const counted = new Map(data.rates.M2.points.map((point) => [point.at.getTime(), point]))
  const points = buckets.map(({ at, complete }) =>
    ratePoint(at.getTime(), counted.get(at.getTime()), complete),
  )
  return (
    <Card id="duplicate-rate" title="Duplicate side-effect rate" aside={burnText(data)}>
      <DuplicateRateChart
        points={points}
        bucketSeconds={bucketSeconds}
        target={targetOfDuplicates(data)}
        marks={marks}
        syncId={CROSSHAIR}
      />
    </Card>
  )
}

function targetOfDuplicates(data: NowData): number {
  const { target } = measureOf(data, 'M2')
  if (target === null) throw new Error('M2 has a target')
  return target
}

/** How many times faster than the target allows the budget goes: 1× is exactly at the target. */
function burnText(data: NowData): string {
  const { value, target } = measureOf(data, 'M2')
  const span = durationText(data.range.to.getTime() - data.range.from.getTime())
  if (target === 0) return 'no budget'
  return value === null || target === null ? 'not measured' : `burn ${timesText(value / target)} over ${span}`
}
