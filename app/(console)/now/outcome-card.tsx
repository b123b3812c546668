import { Card } from '@/app/_ui/card'
import { ChartFigure, LegendItem } from '@/app/_ui/charts/chart-figure'
import type { ChartMark } from '@/app/_ui/charts/chart-mark'
import { OutcomeBars } from '@/app/_ui/charts/lazy-charts'
import { OUTCOMES, type OutcomePoint } from '@/app/_ui/charts/outcome-point'
import { countText } from '@/lib/core/format-figure'
import { CHARTS, stepText } from './chart-facts'
import type { NowData } from './read-now'

export function OutcomeCard({ data, marks }: { data: NowData; marks: readonly ChartMark[] }) {
  const { buckets, bucketSeconds } = data.outcomes
  const points: OutcomePoint[] = buckets.map(({ at, executedAgain, ...bucket }) => ({
    ...bucket,
    at: at.getTime(),
    again: executedAgain,
  }))
  const shown = OUTCOMES.filter(({ key }) => key !== 'other' || points.some((point) => point.other > 0))
  const total = (key: (typeof OUTCOMES)[number]['key']) => points.reduce((sum, point) => sum + point[key], 0)
  return (
    <Card id="outcomes" title="Requests by outcome" aside={`per ${stepText(bucketSeconds)}`}>
      <ChartFigure
        caption={`Requests by outcome, per ${stepText(bucketSeconds)}, times in UTC`}
        columns={['Time', ...shown.map(({ label }) => label)]}
        rows={points.map((point) => [
          new Date(point.at).toISOString().slice(0, 16),
          ...shown.map(({ key }) => (point.ingested ? countText(point[key]) : 'not measured')),
        ])}
        legend={shown.map(({ key, label, fill }) => (
          <LegendItem key={key} fill={fill}>
            {label} <span className="text-ink-3">{countText(total(key))}</span>
          </LegendItem>
        ))}
      >
        <OutcomeBars
          points={points}
          bucketMs={bucketSeconds * 1000}
          marks={[...marks]}
          drill="/traces"
          syncId={CHARTS}
        />
      </ChartFigure>
    </Card>
  )
}
