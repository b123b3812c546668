'use client'

import type { Attempted } from '@/app/_server/attempt'
import { Time } from '@/app/_ui/time'
import type { SilenceLook } from './actions'

/** What would be silenced now, and silences that could concern the same. */
export function SilencePreview({ look, waits }: { look: Attempted<SilenceLook> | null; waits: boolean }) {
  return (
    <div role="status" className="grid gap-3 rounded-m border border-line bg-sunken px-3 py-2">
      {waits && (
        <p className="text-ink-2">
          Choose an alert or a subject, and an end: then what matches is listed here.
        </p>
      )}
      {!waits && look === null && <p className="text-ink-2">Looking for what matches …</p>}
      {look?.kind === 'not_done' && <p className="text-bad-ink">{look.why}</p>}
      {look?.kind === 'done' && (
        <>
          <section aria-label="Matching alerts">
            <h3 className="font-medium">Matching alerts: {look.value.matching.length} firing now</h3>
            <ul className="empty:hidden">
              {look.value.matching.map(({ id, text, since }) => (
                <li key={id} className="text-ink-2">
                  {text}, since <Time at={since} />
                </li>
              ))}
            </ul>
          </section>
          <section aria-label="Similar silences">
            <h3 className="font-medium">
              Similar silences: {look.value.similar.length === 0 ? 'none' : look.value.similar.length}
            </h3>
            <ul className="empty:hidden">
              {look.value.similar.map(({ id, text, endsAt, reason }) => (
                <li key={id} className="break-words text-ink-2">
                  {text}, until <Time at={endsAt} />: “{reason}”
                </li>
              ))}
            </ul>
          </section>
        </>
      )}
    </div>
  )
}
