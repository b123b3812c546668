import { Card } from '@/app/_ui/card'
import { ChartFigure } from '@/app/_ui/charts/chart-figure'
import type { ChartMark } from '@/app/_ui/charts/chart-mark'
import { BurnLines } from '@/app/_ui/charts/lazy-charts'
import { EmptyState } from '@/app/_ui/empty-state'
import { percentText, timesText } from '@/app/_ui/format-figure'
import type { BurnDown } from '@/lib/alerts/burn-down'
import type { BudgetedId, Objective } from '@/lib/alerts/objectives'
import { stepText } from '../now/chart-facts'

const CROSSHAIR = 'budget'
/** The list behind a point. */
const BEHIND: Record<BudgetedId, string> = {
  M1: '/traces?bar=replayed',
  M2: '/effects?kind=duplicate',
  M3: '/traces?bar=other',
  M5: '/traces',
  M8: '/traces',
}

type Props = { course: BurnDown; objective: Objective | undefined; marks: readonly ChartMark[] }

/** The budget of one objective over the range, and how fast it went. */
export function BudgetCard({ course: { points, bucketSeconds }, objective, marks }: Props) {
  const name = objective?.name ?? 'Objective'
  const id = (objective?.id ?? 'M2') as BudgetedId
  const step = stepText(bucketSeconds)
  if (points.every(({ left }) => left === null)) {
    return (
      <Card id="budget" title={`Error budget: ${name}`} aside="not measured">
        <EmptyState kind="waiting" title="Nothing was counted in this range">
          {objective?.reason ?? 'There is no budget of nothing; 100 % would be a guess.'}
        </EmptyState>
      </Card>
    )
  }
  const shared = {
    bucketMs: bucketSeconds * 1000,
    marks: [...marks],
    drill: BEHIND[id],
    syncId: CROSSHAIR,
    complete: points.map(({ complete }) => complete),
  }
  const starts = points.map(({ at }) => at.getTime())
  const share = (left: number | null) => (left === null ? 'not measured' : `${percentText(left)} %`)
  const times = (burn: number | null) => (burn === null ? 'not measured' : timesText(burn))
  const clock = (at: Date) => at.toISOString().slice(0, 16)
  return (
    <Card id="budget" title={`Error budget: ${name}`} aside={`per ${step}`}>
      <div className="grid xl:grid-cols-2 [&>*]:min-w-0">
        <ChartFigure
          caption={`Budget left of the range, per ${step}, times in UTC`}
          columns={['Time', 'Budget left']}
          rows={points.map(({ at, left }) => [clock(at), share(left)])}
          legend={<Line stroke="var(--executed)">Budget left of what the range allows</Line>}
        >
          <BurnLines
            {...shared}
            starts={starts}
            unit="%"
            threshold={{ value: 0, label: 'budget spent' }}
            lines={[
              {
                name: 'Budget left',
                stroke: 'var(--executed)',
                dash: '',
                values: points.map(({ left }) => left),
              },
            ]}
          />
        </ChartFigure>
        <ChartFigure
          caption={`Burn over 5 and over 60 minutes, in times the target, per ${step}, times in UTC`}
          columns={['Time', '5 min', '60 min']}
          rows={points.map(({ at, short, long }) => [clock(at), times(short), times(long)])}
          legend={
            <>
              <Line stroke="var(--bad)">
                Burn over 5 min{bucketSeconds > 300 && `: not drawn, a point is a ${step}`}
              </Line>
              <Line stroke="var(--conflict)" dash="6 3">
                Burn over 60 min{bucketSeconds > 3600 && `: not drawn, a point is a ${step}`}
              </Line>
            </>
          }
        >
          <BurnLines
            {...shared}
            starts={starts}
            unit="×"
            threshold={{ value: 1, label: 'target, 1×' }}
            lines={[
              { name: '5 min', stroke: 'var(--bad)', dash: '', values: points.map(({ short }) => short) },
              {
                name: '60 min',
                stroke: 'var(--conflict)',
                dash: '6 3',
                values: points.map(({ long }) => long),
              },
            ]}
          />
        </ChartFigure>
      </div>
    </Card>
  )
}

function Line({ stroke, dash = '', children }: { stroke: string; dash?: string; children: React.ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <svg width="22" height="8" aria-hidden="true">
        <path d="M0 4H22" stroke={stroke} strokeDasharray={dash} strokeWidth="2" />
      </svg>
      <span>{children}</span>
    </span>
  )
}
