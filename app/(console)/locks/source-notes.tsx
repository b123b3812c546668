import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import type { SourceView } from '@/lib/mirror/read/list-sources'

/** A store or provider that cannot be read now: what is shown is of then, and acting on it is refused. */
export function SourceNotes({ sources }: { sources: readonly SourceView[] }) {
  const broken = sources.filter(
    ({ enabled, kind, state }) => enabled && kind !== 'ledger' && (state === 'down' || state === 'stale'),
  )
  return broken.map((source) => (
    <p
      key={source.id}
      className="flex gap-2 rounded-m border border-warn-line bg-warn-soft px-4 py-2.5 text-warn-ink"
    >
      <StateMark standing="stale" size={16} className="mt-0.5" />
      <span>
        <b className="font-semibold">{source.name} cannot be read</b>
        {source.lastOkAt !== null && (
          <>
            {' '}
            since <Time at={source.lastOkAt} kind="seconds" />
          </>
        )}
        . Locks are shown as they were last checked. Releasing, completing and failing are refused until it
        answers again.
      </span>
    </p>
  ))
}
