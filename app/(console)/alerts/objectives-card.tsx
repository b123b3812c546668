import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { countText, percentText, timesText } from '@/app/_ui/format-figure'
import { QueryLink } from '@/app/_ui/page-link'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { type Standing, StateMark } from '@/app/_ui/state-mark'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { isBudgeted, type Objective } from '@/lib/alerts/objectives'
import type { Stale } from '../now/staleness'
import { targetText, valueText } from './labels'

const FIGURE = 'whitespace-nowrap text-right'
const HEADS = ['Objective', 'In this range', 'Target', '5 min', '60 min', 'Budget left', 'State'] as const

type Props = { objectives: readonly Objective[]; chosen: string; stale: Stale | null }

/** What is promised, how it stands over the range, and how fast its budget went at the end of it. */
export function ObjectivesCard({ objectives, chosen, stale }: Props) {
  return (
    <Card id="objectives" title="Objectives" aside="5 and 60 min: burn, in times the target">
      <ScrollBox label="Objectives, a row each">
        <table className={tableClass}>
          <thead>
            <tr>
              {HEADS.map((name) => (
                <th
                  key={name}
                  scope="col"
                  className={stillHeadClass(name === 'Objective' || name === 'State' ? '' : 'text-right')}
                >
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {objectives.map((objective) => (
              <Row key={objective.id} objective={objective} chosen={objective.id === chosen} stale={stale} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Card>
  )
}

function Row({ objective, chosen, stale }: { objective: Objective; chosen: boolean; stale: Stale | null }) {
  const { id, name, unit, value, numerator, denominator, short, long, burnShort, burnLong } = objective
  const window = (burn: number | null, plain: number | null) =>
    burn !== null ? timesText(burn) : plain !== null && !isBudgeted(id) ? valueText(unit, plain) : '–'
  return (
    <tr data-objective={id} className={chosen ? 'bg-accent-soft' : undefined}>
      <td className={cellClass('min-w-48')}>
        {isBudgeted(id) ? (
          <QueryLink
            set={{ objective: id }}
            scroll={false}
            aria-current={chosen ? 'true' : undefined}
            className="block font-medium hover:underline"
          >
            {name}
          </QueryLink>
        ) : (
          <span className="block font-medium">{name}</span>
        )}
        <span className={secondLineClass}>
          {id}
          {value === null && ` · ${objective.reason ?? 'no input'}`}
        </span>
      </td>
      <td className={cellClass(FIGURE)}>
        {value === null ? <span className="text-ink-2">Not measured</span> : valueText(unit, value)}
        {value !== null && numerator !== null && denominator !== null && (
          <span className={secondLineClass}>
            {countText(numerator)} of {countText(denominator)}
          </span>
        )}
      </td>
      <td className={cellClass(FIGURE)}>{targetText(objective)}</td>
      <td className={cellClass(FIGURE)}>{window(burnShort, short)}</td>
      <td className={cellClass(FIGURE)}>{window(burnLong, long)}</td>
      <td className={cellClass(FIGURE)}>
        {!isBudgeted(id) ? (
          <span className="text-ink-2">no budget</span>
        ) : objective.budgetLeft === null ? (
          '–'
        ) : (
          budgetText(objective.budgetLeft)
        )}
      </td>
      <td className={cellClass()}>
        <State objective={objective} stale={stale} />
      </td>
    </tr>
  )
}

/** 83.0 %, or by how much it is overspent. */
function budgetText(left: number) {
  if (left >= 0) return `${percentText(left)} %`
  return <span className="font-medium text-bad-ink">overspent {timesText(1 - left)}</span>
}

/** Good news needs fresh data; bad news does not. */
function State({ objective: { state, target }, stale }: { objective: Objective; stale: Stale | null }) {
  const [standing, word, tone]: [Standing, string, BadgeTone] =
    state === 'not measured'
      ? ['unknown', 'Not measured', 'plain']
      : state === 'breach'
        ? ['bad', 'Breach', 'bad']
        : stale !== null
          ? ['stale', `Stale: ${stale.who}`, 'plain']
          : ['ok', target === null ? 'No numeric target' : 'Ok', 'ok']
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <StateMark standing={standing} />
      <Badge tone={tone}>{word}</Badge>
    </span>
  )
}
