import type { Metadata } from 'next'
import { BulkRuns } from '../_page/bulk-runs'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { DeadTable } from './dead-table'
import { messagesSentence } from './describe'
import { GroupsCard } from './groups-card'
import { ProposalsCard } from './proposals-card'
import { readMessagesPage } from './read-page'
import { RedeliveriesCard } from './redeliveries-card'
import { SourceNotes } from './source-notes'
import { TopicsCard } from './topics-card'

export const metadata: Metadata = { title: 'Messages' }

export default async function MessagesPage(props: PageProps) {
  const messages = await readMessagesPage(await openPage('/messages', props))
  const { runs, refusal, sources, groups, dead, query, filter, place, names } = messages
  return (
    <Page title="Messages" summary={messagesSentence(messages)}>
      <SourceNotes {...messages} />
      <BulkRuns runs={runs} refusal={refusal.redrive} />
      <ProposalsCard {...messages} />
      <TopicsCard {...messages} />
      {sources.length > 0 && (
        <>
          <GroupsCard {...{ groups, query, refusal, place }} />
          <DeadTable
            rows={dead.items}
            next={dead.next}
            {...{ query, filter, refusal, place, names }}
            matching={groups
              .filter(({ fingerprint }) => query.cause === null || fingerprint === query.cause)
              .reduce((sum, { count }) => sum + count, 0)}
          />
        </>
      )}
      <RedeliveriesCard byConsumer={messages.byConsumer} />
    </Page>
  )
}
