import type { Metadata } from 'next'
import { z } from 'zod'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import type { Fact } from '@/app/_ui/facts'
import { listUsers } from '@/lib/access/users'
import { readAgreed } from '@/lib/actions/agreed-list'
import { listActions } from '@/lib/actions/read'
import type { ActionView } from '@/lib/actions/view'
import { ALERTS } from '@/lib/alerts/about'
import { ruleText } from '@/lib/alerts/terms/describe-terms'
import { TERMS, type TermsRule, termsSchema } from '@/lib/conditions/terms'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { plural } from '@/lib/core/format-figure'
import { type Names, namesOf } from '@/lib/core/names'
import { TERMS_ACTION_KIND } from '@/lib/core/states'
import { ProposedChange } from '../../_decide/decision'
import { openPage, type PageProps } from '../../_page/open-page'
import { Page } from '../../_page/page-frame'
import { proposeTermsRule } from './actions'
import { TermsForm } from './terms-form'
import { TermsChanges } from './terms-preview'
import { TermsTable } from './terms-table'

export const metadata: Metadata = { title: 'What fires' }

const WAITING_SHOWN = 10

export default async function TermsPage(props: PageProps) {
  const { ctx, place, forbid } = await openPage('/alerts/terms', props)
  const [terms, waiting, users] = await Promise.all([
    readAgreed(ctx.db, TERMS),
    listActions(ctx.db, { kind: [TERMS_ACTION_KIND], state: ['proposed'] }, { limit: WAITING_SHOWN }),
    listUsers(ctx.db),
  ])
  return (
    <Page
      title="What fires"
      path={[{ label: 'Alerts & SLOs', href: '/alerts' }]}
      summary={`${plural(CONDITION_KINDS.length, 'condition')} are evaluated. ${
        terms.rules.length === 0
          ? 'Their terms are as they came.'
          : `${plural(terms.rules.length, 'rule changes', 'rules change')} when they fire, or who is to know.`
      }`}
      actions={
        <ActionDialog
          opener="Propose a change"
          openerLook="primary"
          forbidden={forbid('case.propose')}
          title={`Propose other terms in ${place}`}
          lead="Nothing changes until a second person approves."
          confirm="Propose 1 change"
          withReason
          action={proposeTermsRule.bind(null, terms.version)}
        >
          <TermsForm kinds={CONDITION_KINDS.map((kind) => ({ value: kind, label: ALERTS[kind].title }))} />
        </ActionDialog>
      }
    >
      {waiting.items.length > 0 && (
        <Card id="waiting" title="Proposed" aside={`${waiting.items.length}`}>
          {waiting.items.map((action) => (
            <WaitingTerms
              key={action.id}
              action={action}
              people={namesOf(users)}
              me={ctx.actor.userId}
              forbidden={forbid('action.approve')}
              place={place}
            />
          ))}
        </Card>
      )}
      <TermsTable {...terms} forbidden={forbid('case.propose')} place={place} />
    </Page>
  )
}

const evidenceSchema = z.object({
  before: termsSchema,
  after: termsSchema,
  preview: z.object({
    changes: z.array(
      z.object({
        kind: z.enum(CONDITION_KINDS),
        when: z.record(z.string(), z.string()),
        before: z.number(),
        after: z.number().nullable(),
      }),
    ),
  }),
})

type WaitingProps = { action: ActionView; people: Names; me: string; forbidden: string | null; place: string }

/** Proposed terms: what they add and retire, how often they would have fired, and who may decide. */
function WaitingTerms({ place, ...about }: WaitingProps) {
  const parsed = evidenceSchema.safeParse(about.action.evidence)
  if (!parsed.success) return null
  const { before, after, preview } = parsed.data
  return (
    <ProposedChange
      label="Proposed terms"
      what="proposed terms"
      {...about}
      facts={changesOf(before, after)}
      preview={<TermsChanges changes={preview.changes} />}
      approval={{
        opener: 'Approve terms',
        title: `Put ${plural(after.length, 'rule')} in force in ${place}`,
        lead: 'The next evaluation goes by them: what no longer holds is cleared.',
        confirm: `Approve ${plural(after.length, 'rule')} in ${place}`,
        typed: { label: 'How many rules are then in force', expected: String(after.length) },
      }}
    />
  )
}

function changesOf(before: readonly TermsRule[], after: readonly TermsRule[]): Fact[] {
  const lacks = (rules: readonly TermsRule[]) => (rule: TermsRule) =>
    rules.every((other) => ruleText(other) !== ruleText(rule) || other.kind !== rule.kind)
  const fact = (verb: string) => (rule: TermsRule) => ({
    label: `${verb} “${ALERTS[rule.kind].title}”`,
    value: ruleText(rule),
  })
  return [
    ...after.filter(lacks(before)).map(fact('Sets')),
    ...before.filter(lacks(after)).map(fact('Retires')),
  ]
}
