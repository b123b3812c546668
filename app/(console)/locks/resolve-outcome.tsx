import type { Attempted } from '@/app/_server/attempt'
import { NotDoneNote } from '@/app/_ui/note'
import { StateMark } from '@/app/_ui/state-mark'
import type { CarriedOut } from './act'
import { isRetryable, locksText, VERB } from './words'

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
  const done = items.filter(({ state }) => state === 'done').length
  const others = items.filter(({ state }) => state !== 'done')
  const retryable = others.filter(({ reason }) => isRetryable(reason)).length
  return (
    <section>
      <p className="flex items-center gap-2 font-semibold">
        <StateMark standing={others.length === 0 ? 'ok' : 'warn'} />
        {VERB[verb].done} {done} of {locksText(items.length)}
      </p>
      {others.length > 0 && (
        <>
          <ul className="mt-2 rounded-m border border-line">
            {others.map((item) => (
              <li key={item.id} className="border-line border-b px-3 py-2 last:border-b-0">
                <span className="block font-mono text-s">{item.id}</span>
                <span className="text-ink-2">
                  {item.state}: {item.text ?? 'it is settled by reading the store again'}
                </span>
              </li>
            ))}
          </ul>
          <p className="mt-2 text-ink-2 text-s">
            {retryable === 0
              ? 'None of these would end otherwise if tried again as they are.'
              : `${locksText(retryable)} may be tried again and stay selected.`}
          </p>
        </>
      )}
    </section>
  )
}
