import { ActDialog } from '@/app/_ui/act-dialog'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { plural } from '@/app/_ui/format-figure'
import { moneyListText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import type { Rule, RuleSet } from '@/lib/reconcile/rules/rules'
import { retireRule } from './act'
import { type Origin, originOf } from './evidence'
import { criteriaText, toleranceTexts } from './rule-words'

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
    <Card
      id="in-force"
      title="In force"
      aside={version === 0 ? 'never changed' : `version ${version}; the first that fits counts`}
    >
      {rules.length === 0 ? (
        <EmptyState kind="none" title="Nothing is tolerated">
          Every difference is a case, once its grace has passed.
        </EmptyState>
      ) : (
        <table className={tableClass}>
          <thead>
            <tr>
              <th scope="col" className={stillHeadClass('w-8')}>
                <span className="sr-only">Place</span>
              </th>
              <th scope="col" className={stillHeadClass()}>
                Rule
              </th>
              <th scope="col" className={stillHeadClass('max-md:hidden')}>
                Tolerates
              </th>
              <th scope="col" className={stillHeadClass('max-md:hidden')}>
                Excused when it came
              </th>
              <th scope="col" className={stillHeadClass('w-24')}>
                <span className="sr-only">Retire</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule, index) => (
              <RuleRow key={rule.name} rule={rule} place={index + 1} props={props} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

function RuleRow({ rule, place, props }: { rule: Rule; place: number; props: Props }) {
  const came = <Came origin={originOf(rule, props.approved)} people={props.people} />
  const tolerated = toleranceTexts(rule).map((text) => (
    <span key={text} className="block">
      {text}
    </span>
  ))
  return (
    <tr data-rule={rule.name}>
      <td className={cellClass('text-ink-3')}>{place}</td>
      <td className={cellClass('max-md:w-full max-md:max-w-0')}>
        <span className="block font-medium">{rule.name}</span>
        <span className={secondLineClass} title={criteriaText(rule)}>
          {criteriaText(rule)}
        </span>
        <div className="mt-1 md:hidden">
          {tolerated}
          {came}
        </div>
      </td>
      <td className={cellClass('max-md:hidden')}>{tolerated}</td>
      <td className={cellClass('max-md:hidden')}>{came}</td>
      <td className={cellClass()}>
        <div className="flex justify-end">
          <ActDialog
            opener="Retire"
            forbidden={props.forbidden}
            title={`Propose to retire “${rule.name}” in ${props.place}`}
            lead="Nothing changes until a second person approves. What it excused is then a case again, at the next run that touches it."
            confirm="Propose 1 retirement"
            withReason
            act={retireRule.bind(null, props.version, rule.name)}
          />
        </div>
      </td>
    </tr>
  )
}

/** Of the cases that were open then; what it has excused since leaves no row. */
function Came({ origin, people }: { origin: Origin | null; people: Props['people'] }) {
  if (origin === null) return <span className="text-ink-3">not known</span>
  const { preview, at, approver, actionId } = origin
  const money = preview.money.length === 0 ? '' : `, ${moneyListText(preview.money)}`
  return (
    <>
      <span className="block">
        {preview.excused === 0
          ? `none of ${plural(preview.looked, 'open case')}`
          : `${plural(preview.excused, 'case')}${money}`}
      </span>
      <span className={secondLineClass}>
        <PageLink href={`/audit?subject=${actionId}`} className="hover:underline">
          approved by {people.get(approver ?? '') ?? 'somebody'}
        </PageLink>
        , <Time at={at} />
      </span>
    </>
  )
}
