import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import type { Column } from '@/app/_ui/table'
import { TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { ALERTS } from '@/lib/alerts/about'
import { limitTexts, placeText } from '@/lib/alerts/terms/describe-terms'
import { type TermsRule, type TermsSet, termsAt } from '@/lib/conditions/terms'
import { CONDITION_KINDS, CONDITIONS, type ConditionKind } from '@/lib/core/condition-kinds'
import { durationText } from '@/lib/core/format-figure'
import { retireTermsRule } from './actions'

type Props = TermsSet & { forbidden: string | null; place: string }

/** The terms of one kind: everywhere, or where a rule speaks of one place. */
type Row = { kind: ConditionKind; rule: TermsRule | null; when: TermsRule['when'] }

/** Every kind of alert with its terms, and beneath it where they differ. */
export function TermsTable({ rules, version, forbidden, place }: Props) {
  const rows = CONDITION_KINDS.flatMap((kind): Row[] => {
    const own = rules.filter((rule) => rule.kind === kind)
    const everywhere = own.find(({ when }) => Object.keys(when).length === 0) ?? null
    const apart = own.filter((rule) => rule !== everywhere)
    return [{ kind, rule: everywhere, when: {} }, ...apart.map((rule) => ({ kind, rule, when: rule.when }))]
  })
  return (
    <TableCard
      id="terms"
      title="In force"
      aside={version === 0 ? 'as they came' : `version ${version}`}
      empty={null}
      columns={columnsOf({ rules, version, forbidden, place })}
      rows={rows}
      rowId={({ kind, when }) => JSON.stringify([kind, when])}
    />
  )
}

const columnsOf = ({ rules, version, forbidden, place }: Props): Column<Row>[] => [
  {
    head: 'Alert',
    className: 'max-md:w-full max-md:max-w-0',
    cell: ({ kind, when, rule }) => (
      <>
        <TwoLines below={Object.keys(when).length === 0 ? kind : placeText(when)}>
          <span className={Object.keys(when).length === 0 ? 'font-medium' : 'pl-4'}>
            {ALERTS[kind].title}
          </span>
        </TwoLines>
        <div className="mt-1 md:hidden">
          <Severity kind={kind} when={when} rules={rules} />
          <Limits kind={kind} when={when} rules={rules} />
          {rule !== null && <span className="text-ink-3 text-s">changed</span>}
        </div>
      </>
    ),
  },
  {
    head: 'Who is to know',
    from: 'md',
    cell: ({ kind, when }) => <Severity kind={kind} when={when} rules={rules} />,
  },
  {
    head: 'Fires when',
    from: 'md',
    cell: ({ kind, when }) => <Limits kind={kind} when={when} rules={rules} />,
  },
  {
    head: 'Retire',
    shown: null,
    width: 'w-24',
    cell: ({ kind, when, rule }) =>
      rule === null ? null : (
        <div className="flex justify-end">
          <ActionDialog
            opener="Retire"
            forbidden={forbidden}
            title={`Propose the usual terms of “${ALERTS[kind].title}” in ${place}`}
            lead="Nothing changes until a second person approves."
            confirm="Propose 1 retirement"
            withReason
            action={retireTermsRule.bind(null, version, JSON.stringify([kind, when]))}
          />
        </div>
      ),
  },
]

type At = Pick<Row, 'kind' | 'when'> & { rules: readonly TermsRule[] }

function Severity({ kind, when, rules }: At) {
  const { severity, limits } = termsAt(rules, kind, when)
  const told = severity ?? CONDITIONS[kind].severity
  if (told === 'off') return <span className="text-ink-3">nobody</span>
  // What burns a budget is the one or the other, by how fast.
  const isEither = severity === null && 'ticket' in limits
  return (
    <span className="flex flex-wrap gap-1">
      <Badge tone={told === 'page' ? 'bad' : 'warn'}>{told}</Badge>
      {isEither && <Badge tone="warn">ticket</Badge>}
    </span>
  )
}

function Limits({ kind, when, rules }: At) {
  const { forMs, limits } = termsAt(rules, kind, when)
  const texts = [
    ...limitTexts(kind, limits),
    ...(forMs === 0 ? [] : [`It has held for ${durationText(forMs)}`]),
  ]
  return texts.length === 0 ? (
    <span className="text-ink-3">at once</span>
  ) : (
    texts.map((text) => (
      <span key={text} className="block">
        {text}
      </span>
    ))
  )
}
