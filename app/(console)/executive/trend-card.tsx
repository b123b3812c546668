import { Card } from '@/app/_ui/card'
import { ChartFigure, LegendItem } from '@/app/_ui/charts/chart-figure'
import { RateLine } from '@/app/_ui/charts/lazy-charts'
import type { RatePoint } from '@/app/_ui/charts/outcome-point'
import { EmptyState } from '@/app/_ui/empty-state'
import { countText, percentText, stepText } from '@/lib/core/format-figure'
import type { Executive } from '@/lib/insight/executive/executive'

/** The duplicate side-effect rate, a point a day or more; days without a side effect are gaps. */
export function TrendCard({ executive, now }: { executive: Executive; now: Date }) {
  const { trend, effects } = executive
  const per = `per ${stepText(trend.bucketSeconds)}`
  const title = 'Duplicate side-effect rate'
  if (trend.points.length === 0)
    return (
      <Card id="trend" title={title}>
        <EmptyState kind="waiting" title="Not measured: no side effect was told in this period">
          Services tell their effects with <code className="font-mono text-s">idempotency.effect.*</code> on
          the client span that causes one.
        </EmptyState>
      </Card>
    )
  const points = pointsOf(executive, now)
  return (
    <Card id="trend" title={title} aside={per}>
      <ChartFigure
        caption={`${title}, ${per}`}
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
          bucketMs={trend.bucketSeconds * 1000}
          target={effects.target}
          stroke="var(--bad)"
          marks={[]}
          drill="/effects?kind=duplicate"
          syncId="executive"
        />
      </ChartFigure>
    </Card>
  )
}

/** Every step of the period, those without a point as gaps. */
function pointsOf({ from, to, trend }: Executive, now: Date): RatePoint[] {
  const stepMs = trend.bucketSeconds * 1000
  const counted = new Map(trend.points.map((point) => [Date.parse(point.at), point]))
  const points: RatePoint[] = []
  for (let at = Math.floor(Date.parse(from) / stepMs) * stepMs; at < Date.parse(to); at += stepMs) {
    const point = counted.get(at)
    const [numerator, denominator] = [String(point?.numerator ?? 0), String(point?.denominator ?? 0)]
    const rate = point === undefined ? null : Number(numerator) / Number(denominator)
    points.push({ at, rate, numerator, denominator, complete: at + stepMs <= now.getTime() })
  }
  return points
}
