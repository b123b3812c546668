import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ViewChip } from '@/app/_ui/facet-chips'
import { Item, Items } from '@/app/_ui/item'
import { Time } from '@/app/_ui/time'
import { SILENCE_STATES, type SilenceState, silenceText } from '@/lib/alerts/silences/view'
import { nameIn } from '@/lib/core/names'
import { endSilence } from './actions'
import type { AlertsData } from './read-page'

const LABEL: Record<SilenceState, string> = { active: 'Active', scheduled: 'Planned', ended: 'Ended' }
const NONE: Record<SilenceState, string> = {
  active: 'Nothing is silenced',
  scheduled: 'No maintenance window is planned',
  ended: 'No silence has ended yet',
}

/** What is silenced, what will be, and what was: by whom, why, until when. */
export function SilencesCard({ silences: page, query, people, forbid }: AlertsData) {
  const state = query.silences
  return (
    <Card id="silences" title="Silences" aside="maintenance windows begin later">
      <div className="flex flex-wrap gap-2 border-line border-b px-4 py-2">
        {SILENCE_STATES.map((each) => (
          <ViewChip
            key={each}
            set={{ silences: each === 'active' ? null : each }}
            chosen={each === state}
            label={LABEL[each]}
            count={each === state && page.next === null ? page.items.length : null}
          />
        ))}
      </div>
      {page.items.length === 0 && <EmptyState kind="none" title={NONE[state]} />}
      <Items>
        {page.items.map((silence) => (
          <Item
            key={silence.id}
            data-silence={silence.id}
            title={silenceText(silence)}
            action={
              state !== 'ended' && (
                <ActionDialog
                  opener="End now"
                  forbidden={forbid('alert.silence')}
                  title="End this silence now"
                  lead="What it matches and still fires is notified within seconds."
                  confirm="End 1 silence"
                  withReason
                  action={endSilence.bind(null, silence.id)}
                />
              )
            }
          >
            <p>
              <Time at={silence.startsAt} /> – <Time at={silence.endsAt} />, by{' '}
              {nameIn(people, silence.createdBy)}
            </p>
            <p>“{silence.reason}”</p>
            {silence.expiredAt !== null && (
              <p>
                ended early <Time at={silence.expiredAt} /> by {nameIn(people, silence.expiredBy ?? '')}: “
                {silence.expiredReason}”
              </p>
            )}
          </Item>
        ))}
      </Items>
      {page.next !== null && (
        <p className="px-4 py-2 text-ink-2 text-s">
          The latest {page.items.length}; all of them are in the API, under alerts/silences.
        </p>
      )}
    </Card>
  )
}
