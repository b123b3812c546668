import type { Attempted } from '@/app/_server/attempt'
import { Failures } from '@/app/_ui/failures'
import { NotDoneNote } from '@/app/_ui/note'
import { StateMark } from '@/app/_ui/state-mark'
import { plural } from '@/lib/core/format-figure'
import type { CarriedOut } from '../actions'
import { isRetryable, VERB } from '../labels'

/** How many were done, and each one that was not. */
export function Outcome({ outcome }: { outcome: Attempted<CarriedOut[]> }) {
  if (outcome.kind === 'not_done') return <NotDoneNote fault={outcome} />
  return (
    <div role="status" className="grid gap-4">
      {outcome.value.map((carried) =>
        carried.runId === null ? (
          <Inline key={carried.snapshotId} carried={carried} />
        ) : (
          <p key={carried.snapshotId}>
            <b className="font-semibold">{VERB[carried.verb].name} goes on as a job.</b> Its progress is on
            top of this page; closing the browser does not stop it.
          </p>
        ),
      )}
    </div>
  )
}

function Inline({ carried: { verb, items } }: { carried: CarriedOut }) {
  const others = items.filter(({ state }) => state !== 'done')
  return (
    <section>
      <p className="flex items-center gap-2 font-semibold">
        <StateMark standing={others.length === 0 ? 'ok' : 'warn'} />
        {VERB[verb].done} {items.length - others.length} of {plural(items.length, 'lock')}
      </p>
      <Failures
        noun="lock"
        failed={others.map(({ id, state, text, reason }) => ({
          id,
          why: `${state}: ${text ?? 'it is settled by reading the store again'}`,
          retryable: isRetryable(reason),
        }))}
      />
    </section>
  )
}
