import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip } from '@/app/_ui/facet-chips'
import { ListTable } from '@/app/_ui/list-table'
import { type Column, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { alertText, rangeOf } from '@/lib/alerts/about'
import type { AlertView } from '@/lib/alerts/list-alerts'
import { figuresOf } from '@/lib/alerts/show-alert'
import { durationText } from '@/lib/core/format-figure'
import { type AlertsData, writeAlerts } from './read-page'

/** Every time that something fired, silenced or not, and who was told. */
export function HistoryCard({ history, query, silencing, evaluated }: AlertsData) {
  return (
    <Card id="history" title="History" aside="newest first">
      <ListTable
        caption="Every time that an alert fired, newest first"
        columns={COLUMNS}
        rows={history.items}
        id={({ id }) => id}
        view={writeAlerts({ kind: query.kind, cursor: query.cursor })}
        toolbar={<FacetChip name="kind" label="Alert" chosen={query.kind} values={silencing.kinds} />}
        empty={
          evaluated ? (
            <EmptyState
              kind={query.kind === null ? 'none' : 'filtered'}
              title={query.kind === null ? 'Nothing has fired yet' : 'This alert has not fired yet'}
            />
          ) : (
            <EmptyState kind="waiting" title="Alerts are not evaluated yet" />
          )
        }
        pages={{ noun: 'alert', cursor: query.cursor, next: history.next }}
      />
    </Card>
  )
}

const COLUMNS: Column<AlertView>[] = [
  { head: 'Alert', className: 'w-full max-w-0', cell: (alert) => <Opened alert={alert} /> },
  { head: 'Raised', nowrap: true, cell: ({ since }) => <Time at={since} /> },
  {
    head: 'Cleared',
    nowrap: true,
    cell: ({ since, clearedAt }) =>
      clearedAt === null ? (
        <Badge tone="bad">Firing</Badge>
      ) : (
        <TwoLines below={`after ${durationText(Date.parse(clearedAt) - Date.parse(since))}`}>
          <Time at={clearedAt} />
        </TwoLines>
      ),
  },
  { head: 'Who was told', from: 'md', cell: (alert) => <Told alert={alert} /> },
]

function Opened({ alert }: { alert: AlertView }) {
  const { id, since, clearedAt } = alert
  const range = rangeOf(alert, new Date(clearedAt ?? since))
  return (
    <TwoLines below={figuresOf(alert)}>
      <RowLink
        to={{ open: id, ...(clearedAt === null ? {} : { ...range, range: null }) }}
        className="truncate font-medium"
      >
        {alertText(alert)}
      </RowLink>
    </TwoLines>
  )
}

const SENT: Record<string, { text: string; tone: BadgeTone }> = {
  delivered: { text: 'delivered', tone: 'ok' },
  waiting: { text: 'waiting', tone: 'warn' },
  failed: { text: 'failed', tone: 'bad' },
  silenced: { text: 'silenced', tone: 'accent' },
  merged: { text: 'merged', tone: 'plain' },
}

function Told({ alert: { notifications, silences } }: { alert: AlertView }) {
  return (
    <span className="flex flex-wrap gap-1">
      {silences.length > 0 && <Badge tone="accent">Silenced</Badge>}
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
