import { Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { SourceView } from '@/lib/mirror/read/list-sources'

const PLACE = 'mt-2 break-words'
/** A transaction that has been open for less is business as usual. */
const LONG_OPEN_MS = 10 * 60_000

/** What was read of a source and not understood, and what cannot be read yet. */
export function FeedNotes({ source, now }: { source: SourceView; now: Date }) {
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
