import { Card } from '@/app/_ui/card'
import type { BurnLinesProps } from '@/app/_ui/charts/burn-lines'
import { ChartFigure, LineSample } from '@/app/_ui/charts/chart-figure'
import { BurnLines } from '@/app/_ui/charts/lazy-charts'
import { EmptyState } from '@/app/_ui/empty-state'
import type { BudgetedId } from '@/lib/alerts/objectives'
import { percentText, stepText, timesText } from '@/lib/core/format-figure'
import type { AlertsData } from './read-page'

const CROSSHAIR = 'budget'
/** The list behind a point. */
const BEHIND: Record<BudgetedId, string> = {
  M1: '/traces?bar=replayed',
  M2: '/effects?kind=duplicate',
  M3: '/traces?bar=other',
  M5: '/traces',
  M8: '/traces',
}

/** The budget of one objective over the range, and how fast it went. */
export function BudgetCard({ course: { points, bucketSeconds }, objectives, query, marks }: AlertsData) {
  const objective = objectives.find(({ id }) => id === query.objective)
  const name = objective?.name ?? 'Objective'
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
  const per = `per ${step}`
  const shared = {
    starts: points.map(({ at }) => at.getTime()),
    bucketMs: bucketSeconds * 1000,
    marks,
    drill: BEHIND[query.objective],
    syncId: CROSSHAIR,
    complete: points.map(({ complete }) => complete),
  }
  const burn = (minutes: number, stroke: string, dash: string, window: 'short' | 'long'): Course => ({
    name: `${minutes} min`,
    legend: `Burn over ${minutes} min${bucketSeconds > minutes * 60 ? `: not drawn, a point is a ${step}` : ''}`,
    stroke,
    dash,
    values: points.map((point) => point[window]),
  })
  const left: Course = {
    name: 'Budget left',
    legend: 'Budget left of what the range allows',
    stroke: 'var(--executed)',
    dash: '',
    values: points.map((point) => point.left),
  }
  return (
    <Card id="budget" title={`Error budget: ${name}`} aside={per}>
      <div className="grid xl:grid-cols-2 [&>*]:min-w-0">
        <Courses
          caption={`Budget left of the range, ${per}`}
          lines={[left]}
          text={(share) => `${percentText(share)} %`}
          chart={{ ...shared, unit: '%', threshold: { value: 0, label: 'budget spent' } }}
        />
        <Courses
          caption={`Burn over 5 and over 60 minutes, in times the target, ${per}`}
          lines={[burn(5, 'var(--bad)', '', 'short'), burn(60, 'var(--conflict)', '6 3', 'long')]}
          text={timesText}
          chart={{ ...shared, unit: '×', threshold: { value: 1, label: 'target, 1×' } }}
        />
      </div>
    </Card>
  )
}

type Course = BurnLinesProps['lines'][number] & { legend: string }

/** Lines of one unit, drawn and as a table. */
function Courses(props: {
  caption: string
  lines: Course[]
  text: (value: number) => string
  chart: Omit<BurnLinesProps, 'lines'>
}) {
  const { caption, lines, text, chart } = props
  const cell = (value: number | null | undefined) =>
    value === null || value === undefined ? 'not measured' : text(value)
  return (
    <ChartFigure
      caption={caption}
      columns={lines.map(({ name }) => name)}
      rows={chart.starts.map((at, place) => ({ at, cells: lines.map(({ values }) => cell(values[place])) }))}
      legend={lines.map(({ name, legend, stroke, dash }) => (
        <span key={name} className="inline-flex items-center gap-1.5">
          <LineSample stroke={stroke} dash={dash} /> {legend}
        </span>
      ))}
    >
      <BurnLines {...chart} lines={lines} />
    </ChartFigure>
  )
}
