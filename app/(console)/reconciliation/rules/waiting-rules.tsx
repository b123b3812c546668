import type { Fact } from '@/app/_ui/facts'
import type { ActionView } from '@/lib/actions/view'
import { plural } from '@/lib/core/format-figure'
import { evidenceSchema, without } from '@/lib/reconcile/rules/evidence'
import type { Rule } from '@/lib/reconcile/rules/rules'
import { ProposedChange } from '../../_decide/proposed-change'
import { PreviewText } from './preview-text'
import { criteriaText, toleranceTexts } from './rule-labels'

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
  return (
    <ProposedChange
      label="Proposed rules"
      what="proposed rules"
      action={action}
      me={me}
      people={people}
      forbidden={forbidden}
      facts={changesOf(before, after)}
      preview={<PreviewText preview={preview} />}
      approval={{
        opener: 'Approve rules',
        title: `Put ${plural(after.length, 'rule')} in force in ${place}`,
        lead: 'The next run applies them: what they excuse closes, and opens no case any more.',
        confirm: `Approve ${plural(after.length, 'rule')} in ${place}`,
        typed: { label: 'How many rules are then in force', expected: String(after.length) },
      }}
    />
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
