import { Card } from '@/app/_ui/card'
import { type Fact, Facts } from '@/app/_ui/facts'
import { Note } from '@/app/_ui/note'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import type { Coverage, Feed } from '@/lib/mirror/read/read-feeds'
import { SourceBadge } from '../_page/source-badge'
import { CapabilityList } from './capability-list'
import { FeedNotes } from './feed-notes'
import { OutageNote } from './outage-note'
import type { SeenOutage } from './read-outages'

const KIND: Record<string, string> = {
  intent: 'Idempotency store',
  ledger: 'Ledger',
  provider: 'Payment provider',
}

type Props = {
  source: SourceView
  feeds: readonly Feed[]
  coverage: Coverage | undefined
  outage: SeenOutage | undefined
  now: Date
}

/** One source: whether it can be read, how far, and what may be done there. */
export function SourceCard(props: Props) {
  const { source, outage } = props
  const store = source.kind === 'intent'
  return (
    <Card id={source.id} title={source.name} aside={<SourceBadge source={source} />} className="h-full">
      <div className="px-4 pb-3">
        <p className="text-ink-2">
          {KIND[source.kind] ?? source.kind}, {source.adapter} · system {source.system}
        </p>
        {outage !== undefined && <OutageNote outage={outage} store={store} />}
        {source.state !== 'ok' && source.lastError !== null && (
          <Note tone="quiet" className="mt-2 break-words">
            {source.lastError}
            {source.lastErrorAt !== null && (
              <>
                {' '}
                (<Time at={source.lastErrorAt} kind="seconds" />)
              </>
            )}
          </Note>
        )}
        <FeedNotes source={source} now={props.now} />
        <Facts facts={factsOf(props)} />
        {store && (
          <section aria-label="Capabilities" className="mt-2">
            <h3 className="py-1 font-medium text-ink-2">What may be done</h3>
            <CapabilityList raw={source.capabilities} />
          </section>
        )}
      </div>
    </Card>
  )
}

/** Of a source that answers, and of which nothing has been read: it says nothing about what is not there. */
const notRead = { label: 'Feeds', value: 'never read: nothing of it is compared' }

function factsOf({ source, feeds, coverage }: Props): Fact[] {
  const { state, lastOkAt } = source
  const last =
    lastOkAt === null ? (
      'never'
    ) : state === 'ok' ? (
      <Ago at={lastOkAt} />
    ) : (
      <Time at={lastOkAt} kind="seconds" />
    )
  return [
    { label: state === 'ok' || state === 'never' ? 'Last read' : 'Stale since', value: last },
    ...(feeds.length === 0 && source.enabled ? [notRead] : []),
    ...feeds.map(({ feed, updatedAt }) => ({
      label: `Feed ${feed.replaceAll('_', ' ')}`,
      value: <Ago at={updatedAt} />,
    })),
    ...(coverage === undefined ? [] : [{ label: 'Listed without a gap', value: <Span {...coverage} /> }]),
    { label: 'Id', value: <ShortId id={source.id} /> },
  ]
}

const Ago = ({ at }: { at: string }) => (
  <>
    <Time at={at} kind="age" /> ago
  </>
)

const Span = ({ from, to }: { from: string; to: string }) => (
  <>
    <Time at={from} /> – <Time at={to} />
  </>
)
