import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip } from '@/app/_ui/facet-chips'
import { durationText } from '@/app/_ui/format-time'
import { QueryLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { StillTable } from '@/app/_ui/still-table'
import { cellClass, headClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { ALERTS, rangeOf } from '@/lib/alerts/about'
import type { AlertView } from '@/lib/alerts/list-alerts'
import type { Page } from '@/lib/core/pages'
import { CONDITION_KINDS } from '@/lib/core/verdict'
import { type AlertsQuery, writeAlerts } from './query'
import { figuresOf } from './show-alert'

const HEAD = (
  <>
    <th scope="col" className={headClass()}>
      Alert
    </th>
    <th scope="col" className={headClass()}>
      Raised
    </th>
    <th scope="col" className={headClass()}>
      Cleared
    </th>
    <th scope="col" className={headClass('max-md:hidden')}>
      Who was told
    </th>
  </>
)

/** Every time that something fired, silenced or not, and who was told. */
export function HistoryCard({ page, query }: { page: Page<AlertView>; query: AlertsQuery }) {
  return (
    <Card id="history" title="History" aside="newest first">
      <StillTable
        caption="Every time that an alert fired, newest first"
        view={writeAlerts({ kind: query.kind, cursor: query.cursor })}
        toolbar={
          <FacetChip
            name="kind"
            label="Alert"
            chosen={query.kind}
            values={CONDITION_KINDS.map((kind) => ({ value: kind, label: ALERTS[kind].title, count: null }))}
          />
        }
        head={HEAD}
        rows={page.items.map((alert) => ({ id: alert.id, row: <Row key={alert.id} alert={alert} /> }))}
        empty={
          <EmptyState
            kind={query.kind === null ? 'none' : 'filtered'}
            title={query.kind === null ? 'Nothing has fired yet' : 'This alert has not fired yet'}
          />
        }
      />
      <Pager shown={page.items.length} noun="alert" cursor={query.cursor} next={page.next} />
    </Card>
  )
}

function Row({ alert }: { alert: AlertView }) {
  const { id, kind, subject, since, clearedAt, detail } = alert
  const range = rangeOf(alert, new Date(clearedAt ?? since))
  const name = typeof detail.name === 'string' ? detail.name : subject === 'all' ? null : subject
  return (
    <tr data-episode={id} className="relative hover:bg-sunken">
      <td className={cellClass('w-full max-w-0')}>
        <QueryLink
          set={{ open: id, ...(clearedAt === null ? {} : { ...range, range: null }) }}
          className="block truncate font-medium after:absolute after:inset-0 hover:underline"
        >
          {ALERTS[kind].title}
          {name !== null && `, ${name}`}
        </QueryLink>
        <span className={secondLineClass}>{figuresOf(alert)}</span>
      </td>
      <td className={cellClass('whitespace-nowrap')}>
        <Time at={since} />
      </td>
      <td className={cellClass('whitespace-nowrap')}>
        {clearedAt === null ? (
          <Badge tone="bad">firing</Badge>
        ) : (
          <>
            <Time at={clearedAt} />
            <span className={secondLineClass}>
              after {durationText(Date.parse(clearedAt) - Date.parse(since))}
            </span>
          </>
        )}
      </td>
      <td className={cellClass('max-md:hidden')}>
        <Told alert={alert} />
      </td>
    </tr>
  )
}

const SENT: Record<string, { text: string; tone: BadgeTone }> = {
  delivered: { text: 'delivered', tone: 'ok' },
  waiting: { text: 'waiting', tone: 'warn' },
  failed: { text: 'failed', tone: 'bad' },
  silenced: { text: 'silenced', tone: 'accent' },
}

function Told({ alert: { notifications, silences } }: { alert: AlertView }) {
  return (
    <span className="flex flex-wrap gap-1">
      {silences.length > 0 && <Badge tone="accent">silenced</Badge>}
      {notifications.length === 0 && silences.length === 0 && <span className="text-ink-2">nobody</span>}
      {notifications.map(({ id, receiver, transition, state, attempts, result }) => (
        <Badge
          key={id}
          tone={SENT[state]?.tone ?? 'plain'}
          title={`${attempts === 1 ? '1 try' : `${attempts} tries`}; ${result.error ?? result.status ?? 'not sent yet'}`}
        >
          {receiver}, {transition}: {SENT[state]?.text ?? state}
        </Badge>
      ))}
    </span>
  )
}
