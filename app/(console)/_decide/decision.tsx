import type { ComponentProps, ReactNode } from 'react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import type { ActionView } from '@/lib/actions/view'
import { approve, reject, withdraw } from './actions'

export type DecisionProps = {
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
