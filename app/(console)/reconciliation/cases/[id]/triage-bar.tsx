import { ActDialog } from '@/app/_ui/act-dialog'
import { fieldClass } from '@/app/_ui/field'
import type { CaseView } from '@/lib/reconcile/case-view'
import { acknowledge, assign, closeByHand, comment, snooze } from './act'

type Person = { id: string; name: string }

const SNOOZES = [
  { hours: 1, label: '1 hour' },
  { hours: 4, label: '4 hours' },
  { hours: 24, label: '1 day' },
  { hours: 168, label: '7 days' },
]

/** Who looks after the case, and when. Nothing of it changes money or keys; all of it can be taken back. */
export function TriageBar({
  found,
  people,
  forbidden,
}: {
  found: CaseView
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
            act={assign.bind(null, id)}
          >
            <label className="block">
              <span className="mb-1 block font-medium">To whom</span>
              <select name="owner" defaultValue={found.owner ?? people[0]?.id} className={fieldClass}>
                {people.map((person) => (
                  <option key={person.id} value={person.id}>
                    {person.name}
                  </option>
                ))}
              </select>
            </label>
          </ActDialog>
          <ActDialog
            opener="Snooze"
            forbidden={forbidden}
            title="Snooze this case"
            lead="It leaves the open list and comes back by itself. Assigning or acknowledging wakes it at once."
            confirm="Snooze 1 case"
            act={snooze.bind(null, id)}
          >
            <fieldset>
              <legend className="mb-1 font-medium">For how long</legend>
              <div className="flex flex-wrap gap-4">
                {SNOOZES.map(({ hours, label }, index) => (
                  <label key={hours} className="flex items-center gap-2 max-md:min-h-11">
                    <input type="radio" name="hours" value={hours} defaultChecked={index === 0} /> {label}
                  </label>
                ))}
              </div>
            </fieldset>
          </ActDialog>
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
