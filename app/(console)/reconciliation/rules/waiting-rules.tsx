import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { type Fact, Facts } from '@/app/_ui/facts'
import { plural } from '@/app/_ui/format-figure'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import type { Rule } from '@/lib/reconcile/rules'
import { approve, reject, withdraw } from '../../_decide/act'
import { evidenceSchema, without } from './evidence'
import { PreviewText } from './preview-text'
import { criteriaText, toleranceTexts } from './rule-words'

type Props = {
  action: ActionView
  people: ReadonlyMap<string, string>
  me: string
  forbidden: string | null
  place: string
}

/** A proposed list: what it adds and retires, what it would excuse, and who may decide. */
export function WaitingRules({ action, people, me, forbidden, place }: Props) {
  const parsed = evidenceSchema.safeParse(action.evidence)
  if (!parsed.success) return null
  const { before, after, preview } = parsed.data
  const mine = action.proposer === me
  const facts = changesOf(before, after)
  return (
    <section aria-label="Proposed rules" className="border-line border-b px-4 pb-3">
      <p className="flex flex-wrap items-center justify-between gap-2 pt-1">
        <Badge tone="warn">Waiting for approval</Badge>
        <span className="text-ink-3 text-s">
          {mine ? 'proposed by you' : `proposed by ${people.get(action.proposer ?? '') ?? 'the system'}`},{' '}
          <Time at={action.createdAt} kind="age" /> ago
        </span>
      </p>
      <Facts facts={facts} />
      <div className="mb-2 text-ink-2">
        <PreviewText preview={preview} />
      </div>
      <p className="mb-2 text-ink-2">“{action.reason}”</p>
      <div className="flex flex-wrap justify-end gap-2">
        {mine ? (
          <ActDialog
            opener="Withdraw"
            title="Withdraw the proposed rules"
            lead="What is in force stays as it is. You can propose again."
            confirm="Withdraw 1 proposal"
            withReason
            act={withdraw.bind(null, action.id)}
          />
        ) : (
          <ActDialog
            opener="Reject"
            forbidden={forbidden}
            title="Reject the proposed rules"
            lead="What is in force stays as it is."
            confirm="Reject 1 proposal"
            withReason
            act={reject.bind(null, action.id)}
          />
        )}
        <ActDialog
          opener="Approve rules"
          openerLook="primary"
          forbidden={mine ? 'You proposed this: somebody else has to approve it' : forbidden}
          title={`Put ${plural(after.length, 'rule')} in force in ${place}`}
          lead="The next run judges by them: what they excuse closes, and opens no case any more."
          tone="danger"
          confirm={`Approve ${plural(after.length, 'rule')} in ${place}`}
          typed={{ label: 'How many rules are then in force', expected: String(after.length) }}
          holdS={10}
          act={approve.bind(null, action.id, action.evidenceHash ?? '')}
        >
          <Facts facts={facts} />
          <PreviewText preview={preview} />
        </ActDialog>
      </div>
    </section>
  )
}

/** What a list has that the other has not, rule by rule. */
function changesOf(before: readonly Rule[], after: readonly Rule[]): Fact[] {
  const fact = (verb: string) => (rule: Rule) => ({
    label: `${verb} “${rule.name}”`,
    value: `${criteriaText(rule)}: ${toleranceTexts(rule).join('; ')}`,
  })
  const changes = [
    ...without(after, before).map(fact('Adds')),
    ...without(before, after).map(fact('Retires')),
  ]
  return changes.length > 0 ? changes : [{ label: 'Changes', value: 'the order alone' }]
}
