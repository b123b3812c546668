import {
  Bell,
  BellOff,
  CheckCheck,
  Hand,
  type LucideIcon,
  MessageSquare,
  Rocket,
  Scale,
  TriangleAlert,
  Undo2,
} from 'lucide-react'
import { Card } from '@/app/_ui/card'
import { ViewChip } from '@/app/_ui/facet-chips'
import { Note } from '@/app/_ui/note'
import { PageLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { TextWithTimes } from '@/app/_ui/text-with-times'
import { Time } from '@/app/_ui/time'
import type { Page } from '@/lib/core/pages'
import type { EventSource, TimelineEvent } from '@/lib/incidents/timeline/event'
import type { Gap } from '@/lib/incidents/timeline/read-timeline'

const ICON: Record<EventSource, LucideIcon> = {
  entry: MessageSquare,
  alert_raised: Bell,
  alert_cleared: BellOff,
  acknowledgement: CheckCheck,
  deploy: Rocket,
  run: Scale,
  action: Hand,
  case_opened: TriangleAlert,
  case_resolved: Undo2,
}

type Props = {
  page: Page<TimelineEvent>
  /** With runs and cases. */
  all: boolean
  cursor: string | null
  gaps: readonly Gap[]
}

/** What happened, the latest first, by the time of each event. */
export function TimelineCard({ page, all, cursor, gaps }: Props) {
  return (
    <Card
      id="timeline"
      title="Time line"
      aside="latest first; by the console’s clock, deploys by their service’s"
    >
      <div className="flex flex-wrap gap-2 px-4 pb-3">
        <ViewChip set={{ cursor: null, events: null }} chosen={!all} label="Alerts, deploys, people" />
        <ViewChip set={{ cursor: null, events: 'all' }} chosen={all} label="With runs and cases" />
      </div>
      {gaps.length > 0 && (
        <Note tone="warn" className="mx-4 mb-2 text-s" title="In these times the console saw less">
          <ul>
            {gaps.map(({ from, to, text }) => (
              <li key={`${from} ${text}`}>
                <Time at={from} /> – {to === null ? 'now' : <Time at={to} />}: {text}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {page.items.length === 0 && <p className="px-4 pb-4 text-ink-2">Nothing is known of this time.</p>}
      <ol>
        {page.items.map((event) => (
          <Event key={`${event.source} ${event.at} ${event.id}`} event={event} />
        ))}
      </ol>
      <Pager shown={page.items.length} noun="event" cursor={cursor} next={page.next} />
    </Card>
  )
}

function Event({ event: { source, at, text, detail, by, path } }: { event: TimelineEvent }) {
  const Icon = ICON[source]
  return (
    <li
      data-event={source}
      className="flex min-h-9 items-start gap-3 border-line border-t px-4 py-2 first:border-t-0"
    >
      <Time at={at} className="w-20 shrink-0 text-ink-3 max-md:w-16" />
      <Icon size={14} aria-hidden="true" className="mt-[3px] shrink-0 text-ink-2" />
      <div className="min-w-0 flex-1 break-words">
        {path === null ? (
          text
        ) : (
          <PageLink href={path} look="plain">
            {text}
          </PageLink>
        )}
        {by !== null && <span className="text-ink-3"> by {by}</span>}
        {detail !== '' && (
          <p className="whitespace-pre-line text-ink-2">
            <TextWithTimes text={detail} />
          </p>
        )}
      </div>
    </li>
  )
}
