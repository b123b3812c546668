import { ActDialog } from '@/app/_ui/act-dialog'
import type { CaseView } from '@/lib/reconcile/cases/case-view'
import { OwnerField, type Person } from '../../owner-field'
import { SnoozeFields } from '../../snooze-fields'
import { acknowledge, assign, closeByHand, comment, snooze, undo } from './act'

/** Who looks after the case, and when. Nothing of it changes money or keys; all of it can be taken back. */
export function TriageBar({
  found,
  people,
  undoable,
  forbidden,
}: {
  found: CaseView
  /** This person's own change is the last one. */
  undoable: boolean
  people: readonly Person[]
  forbidden: string | null
}) {
  const { id, lifecycle, triage } = found
  return (
    <>
      {lifecycle !== 'resolved' && (
        <>
          {triage === 'open' && (
            <ActDialog
              opener="Acknowledge"
              forbidden={forbidden}
              title="Acknowledge this case"
              lead="Others see that somebody has looked at it. Nothing else changes."
              confirm="Acknowledge 1 case"
              act={acknowledge.bind(null, id)}
            />
          )}
          <ActDialog
            opener="Assign"
            forbidden={forbidden}
            title="Assign this case"
            lead="Assign it to somebody else at any time."
            confirm="Assign 1 case"
            withReason
            act={assign.bind(null, id)}
          >
            <OwnerField people={people} owner={found.owner} />
          </ActDialog>
          <ActDialog
            opener="Snooze"
            forbidden={forbidden}
            title="Snooze this case"
            lead="It leaves the open list and comes back by itself. Assigning or acknowledging wakes it at once."
            confirm="Snooze 1 case"
            withReason
            act={snooze.bind(null, id)}
          >
            <SnoozeFields />
          </ActDialog>
          {undoable && (
            <ActDialog
              opener="Undo"
              forbidden={forbidden}
              title="Take your last change back"
              lead="The case has the owner and the state again that it had before."
              confirm="Undo 1 change"
              act={undo.bind(null, id)}
            />
          )}
        </>
      )}
      <ActDialog
        opener="Comment"
        forbidden={forbidden}
        title="Comment on this case"
        lead="Stands in the history under your name, and in the audit. It cannot be edited."
        confirm="Add 1 comment"
        act={comment.bind(null, id)}
      >
        <label className="block">
          <span className="mb-1 block font-medium">Comment</span>
          <textarea
            name="text"
            required
            maxLength={4000}
            rows={4}
            className="block w-full rounded-m border border-edge bg-surface px-2.5 py-1.5 max-md:text-[16px]"
          />
        </label>
      </ActDialog>
      {/* Where closing is one of the corrections, it stands with them. */}
      {lifecycle !== 'resolved' && !found.fixes.includes('ignore') && (
        <ActDialog
          opener="Close"
          openerLook="quiet"
          forbidden={forbidden}
          title="Close this case by hand"
          lead="Nothing is corrected. Its evidence is frozen as it is; other evidence reopens it."
          tone="danger"
          confirm="Close 1 case without a correction"
          withReason
          act={closeByHand.bind(null, id)}
        />
      )}
    </>
  )
}
