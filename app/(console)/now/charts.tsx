import { Card } from '@/app/_ui/card'
import { ChartFigure, LegendItem } from '@/app/_ui/charts/chart-figure'
import { OutcomeBars, RateLine } from '@/app/_ui/charts/lazy-charts'
import { type OUTCOMES, type OutcomePoint, outcomesOf, type RatePoint } from '@/app/_ui/charts/outcome-point'
import type { NowData } from '@/lib/alerts/now/read-now'
import { measureOf } from '@/lib/alerts/now/verdict'
import type { ChartMark } from '@/lib/core/chart-mark'
import { countText, durationText, percentText, stepText, timesText } from '@/lib/core/format-figure'

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
  const points: RatePoint[] = buckets.map(({ at, complete }) => {
    const point = counted.get(at.getTime())
    const [numerator, denominator] = [String(point?.numerator ?? 0), String(point?.denominator ?? 0)]
    const rate = point ? Number(numerator) / Number(denominator) : null
    return { at: at.getTime(), complete, numerator, denominator, rate }
  })
  const per = `per ${stepText(bucketSeconds)}`
  return (
    <Card id="duplicate-rate" title="Duplicate side-effect rate" aside={burnText(data)}>
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
          target={targetOfDuplicates(data)}
          stroke="var(--bad)"
          marks={marks}
          drill="/effects?kind=duplicate"
          syncId={CROSSHAIR}
        />
      </ChartFigure>
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
