import type { ComponentProps } from 'react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { LinesField } from '@/app/_ui/field'
import type { CaseView } from '@/lib/reconcile/cases/case-view'
import { OwnerField, type Person, SnoozeFields } from '../../triage-fields'
import { acknowledge, assign, closeByHand, comment, snooze, undo } from './actions'

type Dialog = Omit<ComponentProps<typeof ActionDialog>, 'action' | 'opener'> & {
  opener: string
  action: typeof acknowledge
  /** It can be done to the case as it is. */
  applies: boolean
}

type Props = {
  found: CaseView
  /** This person's own change is the last one. */
  undoable: boolean
  people: readonly Person[]
  forbidden: string | null
}

/** Who looks after the case, and when. Nothing of it changes money or keys; all of it can be taken back. */
export function TriageBar({ found, people, undoable, forbidden }: Props) {
  const live = found.lifecycle !== 'resolved'
  const dialogs: Dialog[] = [
    {
      opener: 'Acknowledge',
      title: 'Acknowledge this case',
      lead: 'Others see that somebody has looked at it. Nothing else changes.',
      confirm: 'Acknowledge 1 case',
      action: acknowledge,
      applies: live && found.triage === 'open',
    },
    {
      opener: 'Assign',
      title: 'Assign this case',
      lead: 'Assign it to somebody else at any time.',
      confirm: 'Assign 1 case',
      withReason: true,
      children: <OwnerField people={people} owner={found.owner} />,
      action: assign,
      applies: live,
    },
    {
      opener: 'Snooze',
      title: 'Snooze this case',
      lead: 'It leaves the open list and comes back by itself. Assigning or acknowledging wakes it at once.',
      confirm: 'Snooze 1 case',
      withReason: true,
      children: <SnoozeFields />,
      action: snooze,
      applies: live,
    },
    {
      opener: 'Undo',
      title: 'Take your last change back',
      lead: 'The case has the owner and the state again that it had before.',
      confirm: 'Undo 1 change',
      action: undo,
      applies: live && undoable,
    },
    {
      opener: 'Comment',
      title: 'Comment on this case',
      lead: 'Stands in the history under your name, and in the audit. It cannot be edited.',
      confirm: 'Add 1 comment',
      children: <LinesField name="text" label="Comment" required maxLength={4000} rows={4} />,
      action: comment,
      applies: true,
    },
    {
      opener: 'Close',
      openerLook: 'quiet',
      title: 'Close this case by hand',
      lead: 'Nothing is corrected. Its evidence is kept as it is; other evidence reopens it.',
      tone: 'danger',
      confirm: 'Close 1 case without a correction',
      withReason: true,
      action: closeByHand,
      // Where closing is one of the corrections, it stands with them.
      applies: live && !found.fixes.includes('ignore'),
    },
  ]
  return dialogs
    .filter(({ applies }) => applies)
    .map(({ action, applies: _, ...dialog }) => (
      <ActionDialog
        key={dialog.opener}
        forbidden={forbidden}
        {...dialog}
        action={action.bind(null, found.id)}
      />
    ))
}
