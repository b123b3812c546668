import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { StateMark } from '@/app/_ui/state-mark'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { ALERTS } from '@/lib/alerts/about'
import { isBudgeted, type Objective } from '@/lib/alerts/objectives'
import { CONDITION_OF, isAgreed } from '@/lib/alerts/targets'
import { countText, latencyText, percentText, targetPercentText, timesText } from '@/lib/core/format-figure'
import type { Stale, Standing } from '@/lib/core/verdict'
import { standingOf } from '@/lib/telemetry/measures/measure'
import type { AlertsData } from './read-page'
import { proposeTermsRule } from './terms/actions'
import { TermsForm } from './terms/terms-form'

/** What is promised, how it stands over the range, and how fast its budget went at the end of it. */
export function ObjectivesCard({ objectives, query, stale, termsVersion, forbid, place }: AlertsData) {
  const chosen = query.objective
  return (
    <TableCard
      id="objectives"
      title="Objectives"
      aside="5 and 60 min: burn, in times the target"
      scrolls="Objectives, a row each"
      columns={[
        ...columnsOf(chosen, stale),
        changeColumn({ version: termsVersion, forbidden: forbid('case.propose'), place }),
      ]}
      rows={objectives}
      rowId={({ id }) => id}
      look={({ id }) => ({ chosen: id === chosen })}
    />
  )
}

const columnsOf = (chosen: string, stale: Stale | null): Column<Objective>[] => [
  {
    head: 'Objective',
    className: 'min-w-36 md:min-w-48',
    cell: (objective) => {
      const { id, name, value, reason } = objective
      return (
        <TwoLines
          below={
            <>
              {value === null ? `${id} · ${reason ?? 'no input'}` : id}
              {/* There is no room for its column. */}
              <span className="md:hidden"> · target {targetText(objective)}</span>
            </>
          }
        >
          {isBudgeted(id) ? (
            <RowLink to={{ objective: id }} open={id === chosen} className="font-medium">
              {name}
            </RowLink>
          ) : (
            <span className="font-medium">{name}</span>
          )}
        </TwoLines>
      )
    },
  },
  figureColumn('In this range', ({ unit, value, numerator, denominator }) =>
    value === null ? (
      <span className="text-ink-2">Not measured</span>
    ) : (
      <TwoLines
        below={
          numerator !== null && denominator !== null && `${countText(numerator)} of ${countText(denominator)}`
        }
      >
        {valueText(unit, value)}
      </TwoLines>
    ),
  ),
  figureColumn('Target', targetText, { from: 'md' }),
  figureColumn('5 min', (objective) => windowText(objective, objective.burnShort, objective.short), {
    from: 'md',
  }),
  figureColumn('60 min', (objective) => windowText(objective, objective.burnLong, objective.long), {
    from: 'md',
  }),
  figureColumn(
    'Budget left',
    ({ id, budgetLeft }) => {
      if (!isBudgeted(id)) return <span className="text-ink-2">no budget</span>
      return budgetLeft === null ? '–' : budgetText(budgetLeft)
    },
    { from: 'md' },
  ),
  { head: 'State', cell: (objective) => <State objective={objective} stale={stale} /> },
]

type Changing = { version: number; forbidden: string | null; place: string }

/** A target that decides what fires is changed here, as its terms are: by two people, with how often it would have fired. */
const changeColumn = ({ version, forbidden, place }: Changing): Column<Objective> => ({
  head: 'Change',
  shown: null,
  cell: ({ id, name }) =>
    isAgreed(id) && (
      <ActionDialog
        opener="Change target"
        forbidden={forbidden}
        title={`Propose another target of “${name}” in ${place}`}
        lead="Nothing changes until a second person approves (What fires)."
        confirm="Propose 1 change"
        withReason
        action={proposeTermsRule.bind(null, version)}
      >
        <TermsForm kinds={[{ value: CONDITION_OF[id], label: ALERTS[CONDITION_OF[id]].title }]} />
      </ActionDialog>
    ),
})

const FEW = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 })

/** A value of a measure, in its unit. */
function valueText(unit: Objective['unit'], value: number): string {
  if (unit === 'ratio') return `${percentText(value)} %`
  if (unit === 'ms') return latencyText(value)
  if (unit === 'per 10,000 executions') return `${FEW.format(value)} per 10,000`
  if (unit === 'rows/day') return `${FEW.format(value)} rows a day`
  return FEW.format(value)
}

function targetText({ id, unit, target }: Objective): string {
  if (target === null) return 'stable'
  if (unit === 'ratio') return `< ${targetPercentText(target)} %`
  if (id === 'M6') return '0'
  if (unit === 'ms') return `P95 < ${latencyText(target).replace('.00', '')}`
  return `< ${valueText(unit, target)}`
}

function windowText({ id, unit }: Objective, burn: number | null, plain: number | null): string {
  if (burn !== null) return timesText(burn)
  return plain !== null && !isBudgeted(id) ? valueText(unit, plain) : '–'
}

/** 83.0 %, or by how much it is overspent. */
function budgetText(left: number) {
  if (left >= 0) return `${percentText(left)} %`
  return <span className="font-medium text-bad-ink">overspent {timesText(1 - left)}</span>
}

const STATE: Record<Standing, { word: string; tone: BadgeTone }> = {
  unknown: { word: 'Not measured', tone: 'plain' },
  bad: { word: 'Breach', tone: 'bad' },
  warn: { word: 'Breach', tone: 'bad' },
  stale: { word: 'Stale', tone: 'plain' },
  ok: { word: 'Ok', tone: 'ok' },
}

function State({ objective: { state, target }, stale }: { objective: Objective; stale: Stale | null }) {
  const standing = standingOf(state, 'bad', stale)
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <StateMark standing={standing} />
      <Badge tone={STATE[standing].tone}>
        {standing === 'ok' && target === null ? 'No numeric target' : STATE[standing].word}
        {standing === 'stale' && stale !== null && `: ${stale.who}`}
      </Badge>
    </span>
  )
}
