import { buttonClass } from '@/app/_ui/button'
import { Note } from '@/app/_ui/note'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { countText } from '@/lib/core/format-figure'
import type { SeenOutage, Unprotected } from './read-outages'

/** Since when it could not be read, what that meant for requests, and, once it is back, the next step. */
export function OutageNote({ outage, store }: { outage: SeenOutage; store: boolean }) {
  const { from, to, requests } = outage
  const now = to === null
  return (
    <div data-outage={now ? 'now' : 'over'}>
      <Note
        tone={now ? 'bad' : 'warn'}
        className="mt-2"
        title={
          now ? (
            <>
              Not readable since <Time at={from} kind="seconds" />
            </>
          ) : (
            <>
              Was not readable <Time at={from} kind="seconds" /> – <Time at={to} kind="seconds" />
            </>
          )
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
