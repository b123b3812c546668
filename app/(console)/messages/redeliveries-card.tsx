import { EmptyState } from '@/app/_ui/empty-state'
import { type Column, figureColumn } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { countText, percentText } from '@/lib/core/format-figure'
import type { ConsumerDeliveries } from '@/lib/telemetry/read/deliveries-by-consumer'
import type { MessagesData } from './read-page'

/** Messages that came again, and deliveries that a consumer's record answered. */
export function RedeliveriesCard({ byConsumer }: Pick<MessagesData, 'byConsumer'>) {
  return (
    <TableCard
      id="redeliveries"
      title="Redeliveries"
      aside="by topic and consumer, in this range (M8)"
      columns={columns}
      rows={byConsumer}
      rowId={({ topic, group }) => `${topic} ${group}`}
      caption="Redeliveries and dropped duplicates by consumer"
      empty={
        <EmptyState kind="waiting" title="Not measured">
          No span of a consumer came in this range. Consumers of the SDK send one for each message.
        </EmptyState>
      }
    />
  )
}

const columns: Column<ConsumerDeliveries>[] = [
  {
    head: 'Consumer',
    names: true,
    className: 'max-w-0 w-full',
    cell: ({ topic, group }) => (
      <span className="block truncate">
        {group} <span className="font-mono text-ink-2 text-s">{topic}</span>
      </span>
    ),
  },
  figureColumn('Messages', ({ messages }) => countText(messages)),
  figureColumn('Delivered again', ({ redeliveries }) => countText(redeliveries)),
  figureColumn(
    'Share',
    ({ messages, redeliveries }) =>
      messages === 0n ? '–' : `${percentText(Number(redeliveries) / Number(messages))} %`,
    { from: 'md' },
  ),
  figureColumn('Duplicates dropped', ({ dropped }) => countText(dropped), { from: 'md' }),
]
