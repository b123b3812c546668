import type { Metadata } from 'next'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import { plural } from '@/lib/core/format-figure'
import { RULES_ACTION_KIND } from '@/lib/core/states'
import { readRules } from '@/lib/reconcile/rules/rules'
import { openPage, type PageProps } from '../../_page/open-page'
import { Page } from '../../_page/page-frame'
import { proposeRule } from './actions'
import { RuleForm } from './rule-form'
import { RulesCard } from './rules-card'
import { WaitingRules } from './waiting-rules'

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
  const people = new Map(users.map(({ id, name }) => [id, name]))
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
