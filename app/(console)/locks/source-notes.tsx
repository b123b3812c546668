import type { ReactNode } from 'react'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import type { Unlisted } from '@/lib/locks/unlisted'
import type { SourceView } from '@/lib/mirror/read/list-sources'

/** A store or provider that cannot be read now: what is shown is of then, and acting on it is refused. */
function BrokenSources({ sources }: { sources: readonly SourceView[] }) {
  const broken = sources.filter(
    ({ enabled, kind, state }) => enabled && kind !== 'ledger' && (state === 'down' || state === 'stale'),
  )
  return broken.map((source) => (
    <Note key={source.id}>
      <b className="font-semibold">{source.name} cannot be read</b>
      {source.lastOkAt !== null && (
        <>
          {' '}
          since <Time at={source.lastOkAt} kind="seconds" />
        </>
      )}
      . Locks are shown as they were last checked. Releasing, completing and failing are refused until it
      answers again.
    </Note>
  ))
}

function Note({ children }: { children: ReactNode }) {
  return (
    <p className="flex gap-2 rounded-m border border-warn-line bg-warn-soft px-4 py-2.5 text-warn-ink">
      <StateMark standing="stale" size={16} className="mt-0.5" />
      <span>{children}</span>
    </p>
  )
}

/** What keeps this page from being the whole of it. */
export function SourceNotes({
  sources,
  unlisted,
}: {
  sources: readonly SourceView[]
  unlisted: readonly Unlisted[]
}) {
  return (
    <>
      <BrokenSources sources={sources} />
      {unlisted.map(({ source, name, listed }) => (
        <Note key={source}>
          <b className="font-semibold">
            {name} holds more than {listed.toLocaleString('en-US')} live locks
          </b>
          . The oldest {listed.toLocaleString('en-US')} are listed and counted here; an act on all that match
          leaves the others as they are.
        </Note>
      ))}
    </>
  )
}
