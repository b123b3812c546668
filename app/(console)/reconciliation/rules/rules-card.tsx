import { ActionDialog } from '@/app/_ui/action-dialog'
import { EmptyState } from '@/app/_ui/empty-state'
import { moneyListText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { type Column, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import { plural } from '@/lib/core/format-figure'
import { criteriaText, toleranceTexts } from '@/lib/reconcile/rules/describe-rule'
import { type Origin, originOf } from '@/lib/reconcile/rules/evidence'
import type { Rule, RuleSet } from '@/lib/reconcile/rules/rules'
import { retireRule } from './actions'

type Props = RuleSet & {
  /** Proposals that were approved, the latest first. */
  approved: readonly ActionView[]
  people: ReadonlyMap<string, string>
  forbidden: string | null
  place: string
}

/** The rules in force, in the order in which they count. */
export function RulesCard(props: Props) {
  const { rules, version } = props
  return (
    <TableCard
      id="in-force"
      title="In force"
      aside={version === 0 ? 'never changed' : `version ${version}; the first that fits counts`}
      empty={
        <EmptyState kind="none" title="Nothing is tolerated">
          Every difference is a case, once its grace has passed.
        </EmptyState>
      }
      columns={columnsOf(props)}
      rows={rules}
      rowId={({ name }) => name}
    />
  )
}

const columnsOf = ({ rules, version, approved, people, forbidden, place }: Props): Column<Rule>[] => {
  const came = (rule: Rule) => <Came origin={originOf(rule, approved)} people={people} />
  return [
    {
      head: 'Place',
      shown: null,
      width: 'w-8',
      className: 'text-ink-3',
      cell: (rule) => rules.indexOf(rule) + 1,
    },
    {
      head: 'Rule',
      className: 'max-md:w-full max-md:max-w-0',
      cell: (rule) => (
        <>
          <TwoLines below={criteriaText(rule)} title={criteriaText(rule)}>
            <span className="font-medium">{rule.name}</span>
          </TwoLines>
          <div className="mt-1 md:hidden">
            <Tolerated rule={rule} />
            {came(rule)}
          </div>
        </>
      ),
    },
    { head: 'Tolerates', from: 'md', cell: (rule) => <Tolerated rule={rule} /> },
    { head: 'Excused when it came', from: 'md', cell: came },
    {
      head: 'Retire',
      shown: null,
      width: 'w-24',
      cell: ({ name }) => (
        <div className="flex justify-end">
          <ActionDialog
            opener="Retire"
            forbidden={forbidden}
            title={`Propose to retire “${name}” in ${place}`}
            lead="Nothing changes until a second person approves. What it excused is then a case again, at the next run that touches it."
            confirm="Propose 1 retirement"
            withReason
            action={retireRule.bind(null, version, name)}
          />
        </div>
      ),
    },
  ]
}

const Tolerated = ({ rule }: { rule: Rule }) =>
  toleranceTexts(rule).map((text) => (
    <span key={text} className="block">
      {text}
    </span>
  ))

/** Of the cases that were open then; what it has excused since leaves no row. */
function Came({ origin, people }: { origin: Origin | null; people: Props['people'] }) {
  if (origin === null) return <span className="text-ink-3">not known</span>
  const { preview, at, approver, actionId } = origin
  const money = preview.money.length === 0 ? '' : `, ${moneyListText(preview.money)}`
  return (
    <TwoLines
      below={
        <>
          <PageLink href={`/audit?subject=${actionId}`} look="plain">
            approved by {people.get(approver ?? '') ?? 'somebody'}
          </PageLink>
          , <Time at={at} />
        </>
      }
    >
      {preview.excused === 0
        ? `none of ${plural(preview.looked, 'open case')}`
        : `${plural(preview.excused, 'case')}${money}`}
    </TwoLines>
  )
}
