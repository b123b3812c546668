import { Bot, UserRound } from 'lucide-react'
import { Card } from '@/app/_ui/card'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { Names } from '@/lib/core/names'
import type { CaseEventView } from '@/lib/reconcile/cases/cases'
import { eventSentence, runOfEvent } from '@/lib/reconcile/cases/describe-event'

/** What happened to the case, newest first: runs, people, corrections. */
export function HistoryCard({ events, names }: { events: readonly CaseEventView[]; names: Names }) {
  return (
    <Card id="history" title="History" aside={plural(events.length, 'entry', 'entries')}>
      <ol className="pt-1">
        {events.map((event) => {
          const system = event.actor.startsWith('system:')
          const Icon = system ? Bot : UserRound
          const run = runOfEvent(event)
          return (
            <li
              key={`${event.at} ${event.kind} ${event.actor}`}
              className="flex min-h-9 items-baseline gap-4 border-line border-t px-4 py-2 first:border-t-0"
            >
              <Time at={event.at} className="w-20 shrink-0 text-ink-3 max-md:w-16" />
              <p className="min-w-0 flex-1 break-words">
                {eventSentence(event, names)}
                {run !== null && (
                  <>
                    {' '}
                    <PageLink href={`/reconciliation/runs/${run}`} look="inline">
                      run
                    </PageLink>
                  </>
                )}
              </p>
              <p className="flex shrink-0 items-center gap-1.5 text-ink-3">
                <Icon size={13} aria-hidden="true" /> {system ? 'system' : event.actor}
              </p>
            </li>
          )
        })}
      </ol>
    </Card>
  )
}
