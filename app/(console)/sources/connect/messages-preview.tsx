import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, Table, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import { TwoColumns } from '../../_page/page-frame'
import type { Looked } from './actions'

type Messages = NonNullable<Looked['preview']['messages']>
type Topic = Messages['topics'][number]
type Dead = Messages['dead'][number]

/** How much is unsent by topic, and the first messages that were given up: no payload, no error. */
export function MessagesPreview({ messages, more }: { messages: Messages; more: boolean }) {
  const { topics, dead } = messages
  return (
    <TwoColumns>
      <Card id="preview" title="3  What is in it" aside={plural(topics.length, 'topic')}>
        {topics.length === 0 ? (
          <EmptyState kind="none" title="It can be read, and nothing waits in it">
            Topics appear with their first message.
          </EmptyState>
        ) : (
          <Table columns={TOPICS} rows={topics} id={({ topic }) => topic} />
        )}
      </Card>
      <Card
        id="dead"
        title="Dead letters"
        aside={`${plural(dead.length, 'message')}${more ? ', there are more' : ''}`}
      >
        {dead.length === 0 ? (
          <EmptyState kind="none" title="No message was given up">
            Nothing is to be sent again or ended.
          </EmptyState>
        ) : (
          <ScrollBox label="Dead letters, table" className="max-h-96">
            <Table columns={DEAD} rows={dead} id={(row) => JSON.stringify(row)} />
          </ScrollBox>
        )}
      </Card>
    </TwoColumns>
  )
}

const figure = (count: number | null) =>
  count === null ? <span className="text-ink-3">not measured</span> : countText(count)

const TOPICS: Column<Topic>[] = [
  { head: 'Topic', cell: ({ topic }) => topic },
  { head: 'Unsent', align: 'right', cell: ({ unsent }) => figure(unsent) },
  { head: 'Dead', align: 'right', cell: ({ dead }) => figure(dead) },
  {
    head: 'Oldest unsent',
    align: 'right',
    cell: ({ oldestUnsentAt }) => (oldestUnsentAt === null ? '' : <Time at={oldestUnsentAt} kind="ago" />),
  },
]

const DEAD: Column<Dead>[] = [
  {
    head: 'Message',
    cell: ({ id, topic, group }) => (
      <TwoLines below={group === null ? topic : `${topic}, ${group}`}>
        {id === null ? <span className="text-ink-3">no id</span> : <ShortId id={id} />}
      </TwoLines>
    ),
  },
  { head: 'Type', cell: ({ type }) => type ?? '' },
  { head: 'Attempts', align: 'right', cell: ({ attempts }) => countText(attempts) },
  {
    head: 'Published',
    nowrap: true,
    cell: ({ publishedAt }) => (publishedAt === null ? '' : <Time at={publishedAt} kind="seconds" />),
  },
]
