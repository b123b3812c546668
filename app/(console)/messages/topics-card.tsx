import { EmptyState } from '@/app/_ui/empty-state'
import { PageLink } from '@/app/_ui/page-link'
import { Sparkline } from '@/app/_ui/sparkline'
import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { countText, percentText, plural } from '@/lib/core/format-figure'
import type { MessageSourceNow, MessagesData, TopicNow } from './read-page'

type Row = TopicNow & { source: MessageSourceNow }

/** Every topic: what waits, since when, how much comes and goes, and what is dead. */
export function TopicsCard({ sources, backlog, deliveries }: MessagesData) {
  const rows = sources
    .filter(({ enabled }) => enabled)
    .flatMap((source) => source.topics.map((topic): Row => ({ ...topic, source })))
  const read = sources.find(({ checkedAt }) => checkedAt !== null)
  return (
    <TableCard
      id="topics"
      title="Topics"
      aside={
        <span className="flex flex-wrap items-center justify-end gap-x-4 gap-y-1">
          {backlog.length > 1 && (
            <span className="flex items-center gap-2">
              unsent in this range
              <Sparkline points={backlog} stroke="var(--warning)" />
            </span>
          )}
          <span>{redeliveriesText(deliveries)}</span>
        </span>
      }
      scrolls="Topics, table"
      columns={COLUMNS}
      rows={rows}
      rowId={({ topic, source }) => `${source.id} ${topic}`}
      empty={<NoTopic connected={sources.length > 0} read={read !== undefined} />}
    >
      {sources.map((source) => (
        <Relays key={source.id} source={source} />
      ))}
    </TableCard>
  )
}

/** M8: none is another thing than not measured. */
function redeliveriesText({ messages, redeliveries }: MessagesData['deliveries']): string {
  if (messages === 0n) return 'redeliveries: not measured'
  const share = Number(redeliveries) / Number(messages)
  return `${countText(redeliveries)} of ${countText(messages)} processed messages came again (${percentText(share)} %)`
}

const COLUMNS: Column<Row>[] = [
  {
    head: 'Topic',
    names: true,
    cell: ({ topic, source }) => (
      <TwoLines below={source.name}>
        <span className="break-all font-medium">{topic}</span>
      </TwoLines>
    ),
  },
  figureColumn('Unsent', ({ unsent, retrying }) => (
    <TwoLines below={(retrying ?? 0) > 0 ? `${countText(retrying ?? 0)} retried or behind one that is` : ''}>
      {figure(unsent)}
    </TwoLines>
  )),
  figureColumn('Oldest unsent', ({ oldestUnsentAt }) =>
    oldestUnsentAt === null ? (
      <span className="text-ink-3">none</span>
    ) : (
      <Time at={oldestUnsentAt} kind="age" />
    ),
  ),
  figureColumn('Published a minute', ({ published }) => figure(published), { from: 'md' }),
  figureColumn('Sent a minute', ({ left }) => figure(left), { from: 'md' }),
  figureColumn('Dead', ({ dead }) => (
    <span className={(dead ?? 0) > 0 ? 'font-semibold text-bad-ink' : undefined}>{figure(dead)}</span>
  )),
]

const figure = (value: number | null) =>
  value === null ? <span className="text-ink-3">not measured</span> : countText(value)

function Relays({ source: { name, relays } }: { source: MessageSourceNow }) {
  if (relays === null) return null
  return (
    <p className="border-line border-t px-4 py-2 text-ink-2 text-s">
      {name}: {relays.length === 0 ? 'no relay was seen' : plural(relays.length, 'relay')}
      {relays.slice(0, 5).map(({ owner, seenAt, asleep }) => (
        <span key={owner}>
          {' · '}
          <span className="break-all font-mono">{owner}</span> {asleep ? 'asleep' : 'awake'}, seen{' '}
          <Time at={seenAt} kind="ago" />
        </span>
      ))}
    </p>
  )
}

function NoTopic({ connected, read }: { connected: boolean; read: boolean }) {
  if (!connected) {
    return (
      <EmptyState kind="waiting" title="No outbox is connected">
        What is unsent or dead appears once an outbox is read.{' '}
        <PageLink href="/sources/connect" look="link">
          Connect one in Sources.
        </PageLink>
      </EmptyState>
    )
  }
  return read ? (
    <EmptyState kind="none" title="No message is there">
      Nothing waits, nothing is dead, and nothing was published in the last minute.
    </EmptyState>
  ) : (
    <EmptyState kind="waiting" title="Not read yet">
      <PageLink href="/sources" look="link">
        Sources
      </PageLink>{' '}
      says what is in the way.
    </EmptyState>
  )
}
