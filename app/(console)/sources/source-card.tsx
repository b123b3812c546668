import { buttonClass } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { type Fact, Facts } from '@/app/_ui/facts'
import { Note } from '@/app/_ui/note'
import { PageLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import type { SeenOutage, Unprotected } from '@/lib/conditions/read-outages'
import { countText, plural } from '@/lib/core/format-figure'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import type { Coverage, Feed } from '@/lib/mirror/read/read-feeds'
import { SourceBadge } from '../_page/source-badge'
import { CapabilityList } from './capability-list'
import { RemoveButton } from './remove-button'
import { SwitchButton } from './switch-button'

const KIND: Record<string, string> = {
  intent: 'Idempotency store',
  ledger: 'Ledger',
  provider: 'Payment provider',
  outbox: 'Outbox',
  dead_letters: 'Dead letters',
}

type Props = {
  source: SourceView
  feeds: readonly Feed[]
  coverage: Coverage | undefined
  outage: SeenOutage | undefined
  now: Date
  place: string
  /** Why this person may not switch it; null = they may. */
  forbidden: string | null
}

/** One source: whether it can be read, how far, and what may be done there. */
export function SourceCard(props: Props) {
  const { source, outage, place, forbidden } = props
  const store = source.kind === 'intent'
  const messages = isMessages(source)
  return (
    <Card id={source.id} title={source.name} aside={<SourceBadge source={source} />} className="h-full">
      <div className="px-4 pb-3">
        <p className="text-ink-2">
          {KIND[source.kind] ?? source.kind}, {source.adapter} · system {source.system}
          {source.region !== null && ` · ${source.region}`}
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
        {(store || messages) && (
          <section aria-label="Capabilities" className="mt-2">
            <h3 className="py-1 font-medium text-ink-2">What may be done</h3>
            <CapabilityList raw={source.capabilities} />
          </section>
        )}
        <div className="-mr-3 mt-2 flex flex-wrap justify-end">
          {forbidden === null && (
            <PageLink href={`/sources/${source.id}/change`} className={buttonClass('quiet')}>
              Change …
            </PageLink>
          )}
          <RemoveButton source={source} place={place} forbidden={forbidden} />
          <SwitchButton source={source} place={place} forbidden={forbidden} />
        </div>
      </div>
    </Card>
  )
}

const isMessages = ({ kind }: SourceView): boolean => kind === 'outbox' || kind === 'dead_letters'

/** Of a source that answers, and of which nothing has been read: it says nothing about what is not there. */
const notRead = { label: 'Feeds', value: 'never read: nothing of it is compared' }

function factsOf({ source, feeds, coverage }: Props): Fact[] {
  const { state, lastOkAt } = source
  const last =
    lastOkAt === null ? (
      'never'
    ) : state === 'ok' ? (
      <Time at={lastOkAt} kind="ago" />
    ) : (
      <Time at={lastOkAt} kind="seconds" />
    )
  return [
    { label: state === 'ok' || state === 'never' ? 'Last read' : 'Stale since', value: last },
    ...(feeds.length === 0 && source.enabled && !isMessages(source) ? [notRead] : []),
    ...feeds.map(({ feed, updatedAt }) => ({
      label: `Feed ${feed.replaceAll('_', ' ')}`,
      value: <Time at={updatedAt} kind="ago" />,
    })),
    ...(coverage === undefined ? [] : [{ label: 'Listed without a gap', value: <Span {...coverage} /> }]),
    { label: 'Id', value: <ShortId id={source.id} /> },
  ]
}

const Span = ({ from, to }: { from: string; to: string }) => (
  <>
    <Time at={from} /> – <Time at={to} />
  </>
)

const PLACE = 'mt-2 break-words'
/** A transaction that has been open for less is business as usual. */
const LONG_OPEN_MS = 10 * 60_000

/** What was read of a source and not understood, and what cannot be read yet. */
function FeedNotes({ source, now }: { source: SourceView; now: Date }) {
  const { notUnderstood, readLate, openTransaction } = source
  const since = openTransaction?.since
  return (
    <>
      {notUnderstood !== null && (
        <Note tone="warn" className={PLACE}>
          {plural(notUnderstood.count, 'object')} {notUnderstood.count === 1 ? 'was' : 'were'} not understood,
          the latest ({notUnderstood.latestId}, <Time at={notUnderstood.latestAt} kind="seconds" />) because:{' '}
          {notUnderstood.latestReason}. Nothing is concluded from {notUnderstood.count === 1 ? 'it' : 'them'}.
        </Note>
      )}
      {readLate !== null && (
        <Note tone="warn" className={PLACE}>
          {plural(readLate.count, 'row')} {readLate.count === 1 ? 'was' : 'were'} found by id within 24 hours,
          though the feed never showed {readLate.count === 1 ? 'it' : 'them'}, the latest ({readLate.latestId}
          , <Time at={readLate.latestAt} kind="seconds" />) because {readLate.latestReason}. Others like it
          may not be read: map the time of insertion as the booking time, or reconcile the time in question on
          demand.
        </Note>
      )}
      {since !== undefined && now.getTime() - Date.parse(since) > LONG_OPEN_MS && (
        <Note tone="warn" className={PLACE}>
          A transaction of its database has been open since <Time at={since} kind="seconds" /> or longer. What
          it commits is read when it ends; until then nobody can see it.
        </Note>
      )}
    </>
  )
}

/** Since when it could not be read, what that meant for requests, and, once it is back, the next step. */
function OutageNote({ outage, store }: { outage: SeenOutage; store: boolean }) {
  const { from, to, requests } = outage
  const now = to === null
  return (
    <div data-outage={now ? 'now' : 'over'}>
      <Note
        tone={now ? 'bad' : 'warn'}
        className="mt-2"
        title={
          <>
            {now ? 'Not readable since' : 'Was not readable'} <Time at={from} kind="seconds" />
            {!now && ' – '}
            {!now && <Time at={to} kind="seconds" />}
          </>
        }
      >
        {store && <p>{requestsText(requests)}</p>}
        {now && store && <p className="mt-0.5">Acting on its keys is refused until it can be read again.</p>}
        {!now && (
          <p className="mt-2">
            <PageLink
              href={`/reconciliation?${new URLSearchParams({ from, to, start: 'true' })}`}
              className={buttonClass('plain')}
            >
              Reconcile exactly this window …
            </PageLink>
          </p>
        )}
      </Note>
    </div>
  )
}

function requestsText(requests: Unprotected | null): string {
  if (requests === null) return 'Requests in that time: not measured, no telemetry came.'
  const { bypassed, refused, all } = requests
  return `Of ${countText(all)} keyed requests in these minutes ${countText(bypassed)} were admitted unprotected (fail-open) and ${countText(refused)} refused (fail-closed).`
}
