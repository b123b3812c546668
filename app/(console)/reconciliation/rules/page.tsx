import type { Metadata } from 'next'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import type { Fact } from '@/app/_ui/facts'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import type { ActionView } from '@/lib/actions/view'
import { plural } from '@/lib/core/format-figure'
import { type Names, namesOf } from '@/lib/core/names'
import { RULES_ACTION_KIND } from '@/lib/core/states'
import { criteriaText, toleranceTexts } from '@/lib/reconcile/rules/describe-rule'
import { evidenceSchema, without } from '@/lib/reconcile/rules/evidence'
import { type Rule, readRules } from '@/lib/reconcile/rules/rules'
import { ProposedChange } from '../../_decide/decision'
import { openPage, type PageProps } from '../../_page/open-page'
import { Page } from '../../_page/page-frame'
import { proposeRule } from './actions'
import { PreviewText } from './preview-text'
import { RuleForm } from './rule-form'
import { RulesCard } from './rules-card'

export const metadata: Metadata = { title: 'Rules' }

const WAITING_SHOWN = 10
/** Where the rules in force came from is looked for in so many. */
const APPROVED_READ = 100

export default async function RulesPage(props: PageProps) {
  const { ctx, place, forbid } = await openPage('/reconciliation/rules', props)
  const [{ rules, version }, waiting, approved, users] = await Promise.all([
    readRules(ctx.db),
    listActions(ctx.db, { kind: [RULES_ACTION_KIND], state: ['proposed'] }, { limit: WAITING_SHOWN }),
    listActions(ctx.db, { kind: [RULES_ACTION_KIND], state: ['done'] }, { limit: APPROVED_READ }),
    listUsers(ctx.db),
  ])
  const people = namesOf(users)
  return (
    <Page
      title="Rules"
      path={[{ label: 'Reconciliation', href: '/reconciliation' }]}
      summary={
        rules.length === 0
          ? 'No rule is in force: every difference is a case.'
          : `${plural(rules.length, 'rule says', 'rules say')} what may differ, by how much and for how long. None crosses currencies; what a rule excuses opens no case and is not counted.`
      }
      actions={
        <ActionDialog
          opener="Propose a rule"
          openerLook="primary"
          forbidden={forbid('case.propose')}
          title={`Propose a rule in ${place}`}
          lead="Nothing changes until a second person approves. What it excuses opens no case any more."
          confirm="Propose 1 rule"
          withReason
          action={proposeRule.bind(null, version)}
        >
          <RuleForm />
        </ActionDialog>
      }
    >
      {waiting.items.length > 0 && (
        <Card id="waiting" title="Proposed" aside={`${waiting.items.length}`}>
          {waiting.items.map((action) => (
            <WaitingRules
              key={action.id}
              action={action}
              people={people}
              me={ctx.actor.userId}
              forbidden={forbid('action.approve')}
              place={place}
            />
          ))}
        </Card>
      )}
      <RulesCard
        rules={rules}
        version={version}
        approved={approved.items}
        people={people}
        forbidden={forbid('case.propose')}
        place={place}
      />
    </Page>
  )
}

type WaitingProps = { action: ActionView; people: Names; me: string; forbidden: string | null; place: string }

/** A proposed list: what it adds and retires, what it would excuse, and who may decide. */
function WaitingRules({ place, ...about }: WaitingProps) {
  const parsed = evidenceSchema.safeParse(about.action.evidence)
  if (!parsed.success) return null
  const { before, after, preview } = parsed.data
  return (
    <ProposedChange
      label="Proposed rules"
      what="proposed rules"
      {...about}
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
