import type { ComponentProps, ReactNode } from 'react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { type Fact, Facts } from '@/app/_ui/facts'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import type { Names } from '@/lib/core/names'
import { approve, reject, withdraw } from './actions'

type DecisionProps = {
  action: ActionView
  /** Who looks: its proposer may take it back, and cannot approve it. */
  me: string
  /** Why this person may not decide. */
  forbidden: string | null
  /** What is decided on, as the dialogs call it. */
  what: string
  leads: { withdraw: string; reject: string }
  approval: Pick<ComponentProps<typeof ActionDialog>, 'opener' | 'title' | 'lead' | 'confirm' | 'typed'>
  /** Shown to whoever approves. */
  children: ReactNode
}

/** The two decisions on a proposal; why this person may not take one is said on it. */
export function Decision({ action, me, forbidden, what, leads, approval, children }: DecisionProps) {
  const mine = action.proposer === me
  const [verb, declineIt] = mine ? (['Withdraw', withdraw] as const) : (['Reject', reject] as const)
  return (
    <div className="flex flex-wrap justify-end gap-2">
      <ActionDialog
        opener={verb}
        forbidden={mine ? null : forbidden}
        title={`${verb} the ${what}`}
        lead={mine ? leads.withdraw : leads.reject}
        confirm={`${verb} 1 proposal`}
        withReason
        action={declineIt.bind(null, action.id)}
      />
      <ActionDialog
        {...approval}
        openerLook="primary"
        forbidden={mine ? 'You proposed this: somebody else has to approve it' : forbidden}
        tone="danger"
        holdS={10}
        action={approve.bind(null, action.id, action.evidenceHash ?? '')}
      >
        {children}
      </ActionDialog>
    </div>
  )
}

type Props = Omit<DecisionProps, 'leads' | 'children'> & {
  label: string
  people: Names
  facts: readonly Fact[]
  /** What it would do to what is there now. */
  preview?: ReactNode
}

const LEADS = {
  withdraw: 'What is in force stays as it is. You can propose again.',
  reject: 'What is in force stays as it is.',
}

/** A proposed change of what is in force: what it changes, who asked and why, and who may decide. */
export function ProposedChange({ label, people, facts, preview, ...decision }: Props) {
  const { action, me } = decision
  const proposer = action.proposer === me ? 'you' : (people.get(action.proposer ?? '') ?? 'the system')
  return (
    <section aria-label={label} className="border-line border-b px-4 pb-3">
      <p className="flex flex-wrap items-center justify-between gap-2 pt-1">
        <Badge tone="warn">Waiting for approval</Badge>
        <span className="text-ink-3 text-s">
          proposed by {proposer}, <Time at={action.createdAt} kind="ago" />
        </span>
      </p>
      <Facts facts={facts} />
      {preview !== undefined && <div className="mb-2 text-ink-2">{preview}</div>}
      <p className="mb-2 text-ink-2">“{action.reason}”</p>
      <Decision {...decision} leads={LEADS}>
        <Facts facts={facts} />
        {preview}
      </Decision>
    </section>
  )
}

/** Before → after. */
export const Changed = ({ before, after }: { before: string; after: string }) => (
  <>
    <span className="text-ink-3">{before} → </span>
    {after}
  </>
)
