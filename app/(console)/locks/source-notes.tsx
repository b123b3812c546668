import type { ReactNode } from 'react'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import { countText } from '@/lib/core/format-figure'
import type { Unlisted } from '@/lib/locks/unlisted'
import type { SourceView } from '@/lib/mirror/read/list-sources'

/** What keeps this page from being the whole of it. */
export function SourceNotes({
  sources,
  unlisted,
}: {
  sources: readonly SourceView[]
  unlisted: readonly Unlisted[]
}) {
  const broken = sources.filter(
    ({ enabled, kind, state }) => enabled && kind !== 'ledger' && (state === 'down' || state === 'stale'),
  )
  return (
    <>
      {broken.map(({ id, name, lastOkAt }) => (
        // What is shown is of then, and acting on it is refused.
        <Note key={id}>
          <b className="font-semibold">{name} cannot be read</b>
          {lastOkAt !== null && (
            <>
              {' '}
              since <Time at={lastOkAt} kind="seconds" />
            </>
          )}
          . Locks are shown as they were last checked. Releasing, completing and failing are refused until it
          answers again.
        </Note>
      ))}
      {unlisted.map(({ source, name, listed }) => (
        <Note key={source}>
          <b className="font-semibold">
            {name} holds more than {countText(listed)} live locks
          </b>
          . The oldest {countText(listed)} are listed and counted here; an action on all that match leaves the
          others as they are.
        </Note>
      ))}
    </>
  )
}

const Note = ({ children }: { children: ReactNode }) => (
  <p className="flex gap-2 rounded-m border border-warn-line bg-warn-soft px-4 py-2.5 text-warn-ink">
    <StateMark standing="stale" size={16} className="mt-0.5" />
    <span>{children}</span>
  </p>
)
