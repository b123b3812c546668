import { Card } from '@/app/_ui/card'
import type { RatePoint } from '@/app/_ui/charts/outcome-point'
import { EmptyState } from '@/app/_ui/empty-state'
import { stepText } from '@/lib/core/format-figure'
import type { Executive } from '@/lib/insight/executive/executive'
import { DuplicateRateChart, ratePoint } from '../_page/duplicate-rate-chart'

/** The duplicate side-effect rate, a point a day or more; days without a side effect are gaps. */
export function TrendCard({ executive, now }: { executive: Executive; now: Date }) {
  const { trend, effects } = executive
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
  return (
    <Card id="trend" title={title} aside={`per ${stepText(trend.bucketSeconds)}`}>
      <DuplicateRateChart
        points={pointsOf(executive, now)}
        bucketSeconds={trend.bucketSeconds}
        target={effects.target}
        marks={[]}
        syncId="executive"
      />
    </Card>
  )
}

/** Every step of the period, those without a point as gaps. */
function pointsOf({ from, to, trend }: Executive, now: Date): RatePoint[] {
  const stepMs = trend.bucketSeconds * 1000
  const counted = new Map(trend.points.map((point) => [Date.parse(point.at), point]))
  const points: RatePoint[] = []
  for (let at = Math.floor(Date.parse(from) / stepMs) * stepMs; at < Date.parse(to); at += stepMs) {
    points.push(ratePoint(at, counted.get(at), at + stepMs <= now.getTime()))
  }
  return points
}
