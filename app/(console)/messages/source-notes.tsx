import { Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import { CONDITIONS } from '@/lib/core/condition-kinds'
import { countText, durationText, plural } from '@/lib/core/format-figure'
import type { MessageSourceNow, MessagesData } from './read-page'

/** As an alert has it where nobody has set another. */
const RELAY_SILENT_MS = CONDITIONS.relay_dead.limits.silentMs.default

/** What makes the figures below old, partial, or about to get worse. */
export const SourceNotes = ({ sources }: MessagesData) =>
  sources.filter(({ enabled }) => enabled).map((source) => <OfSource key={source.id} source={source} />)

function OfSource({
  source: { name, state, lastOkAt, lastError, relays, topics, heldBackBy, shortConsumers, ...rest },
}: {
  source: MessageSourceNow
}) {
  const waits = topics.some(({ unsent }) => (unsent ?? 0) > 0)
  const silent = relays?.every(({ silentMs }) => silentMs > RELAY_SILENT_MS) === true
  return (
    <>
      {(state === 'down' || state === 'stale') && (
        <Note tone="warn" title={`${name} cannot be read: its figures are of an earlier time`}>
          {lastOkAt !== null && (
            <>
              Last read <Time at={lastOkAt} kind="ago" />.{' '}
            </>
          )}
          {lastError}
        </Note>
      )}
      {waits && silent && (
        <Note tone="bad" title={`No relay publishes what waits in ${name}`}>
          {relays?.length === 0
            ? 'None was seen for an hour.'
            : `The last was seen ${durationText(Math.min(...(relays ?? []).map(({ silentMs }) => silentMs)))} before the last look.`}{' '}
          Nothing is lost: it waits until one runs.
        </Note>
      )}
      {heldBackBy !== null && (
        <Note
          tone="warn"
          title={`An open transaction holds back ${plural(heldBackBy.unsent, 'message')} of ${name}`}
        >
          {heldBackBy.text}
          {heldBackBy.since !== null && (
            <>
              , open since <Time at={heldBackBy.since} kind="ago" />
            </>
          )}
          . The first of them waits since <Time at={heldBackBy.oldestAt} kind="ago" />: relays publish only
          what is older than that transaction.
        </Note>
      )}
      {shortConsumers.map(({ group, topic, keptMs, horizonMs }) => (
        <Note
          key={`${group} ${topic}`}
          tone="warn"
          title={`${group} keeps records of ${topic} for too short a time`}
        >
          They end after {durationText(keptMs)}, and a message may come again for {durationText(horizonMs)}:
          what comes in between is applied twice.
        </Note>
      ))}
      {(rest.atLeast || rest.deadMore) && (
        <Note tone="quiet">
          {name} has more than is counted: figures are lower bounds
          {rest.deadMore && `, and the oldest ${countText(rest.deadListed)} dead messages are listed`}.
        </Note>
      )}
    </>
  )
}
