import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip } from '@/app/_ui/facet-chips'
import { ListTable } from '@/app/_ui/list-table'
import { type Column, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { DELIVERY_STATES, type DeliveryState, type DeliveryView } from '@/lib/alerts/notify/list-deliveries'
import { plural } from '@/lib/core/format-figure'
import { RECEIVER_LABEL } from '@/lib/core/receiver-kinds'
import { type AlertsData, writeAlerts } from '../read-page'

const STATE: Record<DeliveryState, { label: string; tone: BadgeTone }> = {
  waiting: { label: 'Waiting', tone: 'warn' },
  delivered: { label: 'Delivered', tone: 'ok' },
  failed: { label: 'Failed', tone: 'bad' },
  silenced: { label: 'Silenced', tone: 'accent' },
}

/** Messages to receivers: what was sent, and what each try was answered. */
export function DeliveriesCard({ deliveries, query }: AlertsData) {
  return (
    <Card id="deliveries" title="Delivery log" aside="newest first">
      <ListTable
        caption="Messages to receivers, newest first"
        columns={COLUMNS}
        rows={deliveries.items}
        id={({ id }) => id}
        view={writeAlerts({ sent: query.sent })}
        toolbar={
          <FacetChip
            name="sent"
            label="State"
            chosen={query.sent}
            values={DELIVERY_STATES.map((value) => ({ value, label: STATE[value].label }))}
          />
        }
        empty={
          <EmptyState
            kind={query.sent === null ? 'none' : 'filtered'}
            title={query.sent === null ? 'Nothing has been sent yet' : 'No message is in this state'}
          />
        }
      />
      {deliveries.next !== null && (
        <p className="px-4 py-2 text-ink-2 text-s">
          The latest {deliveries.items.length}; all of them are in the API, under alerts/deliveries.
        </p>
      )}
    </Card>
  )
}

const COLUMNS: Column<DeliveryView>[] = [
  { head: 'Written', nowrap: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    head: 'Message',
    className: 'w-full max-w-0',
    cell: ({ message, event }) => (
      <TwoLines below={message.text ?? ''}>
        <span className="block truncate font-medium">{message.headline ?? `${event}: not sent yet`}</span>
      </TwoLines>
    ),
  },
  {
    head: 'Receiver',
    from: 'md',
    cell: ({ receiver, receiverKind }) => (
      <TwoLines below={RECEIVER_LABEL[receiverKind]}>{receiver}</TwoLines>
    ),
  },
  { head: 'State', cell: ({ state }) => <Badge tone={STATE[state].tone}>{STATE[state].label}</Badge> },
  { head: 'Tries', from: 'md', cell: (delivery) => <Tries {...delivery} /> },
]

function Tries({ tries, dueAt }: DeliveryView) {
  const last = tries.at(-1)
  if (last === undefined) return <span className="text-ink-2">none yet</span>
  return (
    <details className="min-w-40">
      <summary className="max-md:min-h-11">
        {plural(tries.length, 'try', 'tries')}, last: {answerText(last)}
      </summary>
      <ol className="mt-1 grid gap-1 text-ink-2 text-s">
        {tries.map((each) => (
          <li key={each.at} className="break-words">
            <Time at={each.at} kind="seconds" />: {answerText(each)}, {each.durationMs ?? 0} ms
            {each.body !== null && each.body !== '' && (
              <code className="block break-all font-mono">{each.body}</code>
            )}
          </li>
        ))}
        {dueAt !== null && (
          <li>
            next try <Time at={dueAt} kind="seconds" />
          </li>
        )}
      </ol>
    </details>
  )
}

const answerText = ({ status, error }: DeliveryView['tries'][number]): string =>
  error ?? (status === null ? 'no answer' : String(status))
