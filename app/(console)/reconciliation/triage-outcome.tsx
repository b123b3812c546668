'use client'

import { useRef } from 'react'
import { Button } from '@/app/_ui/button'
import { plural } from '@/app/_ui/format-figure'
import { PageLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { StateMark } from '@/app/_ui/state-mark'
import { useVerb } from '@/app/_ui/use-verb'
import { newId } from '@/lib/core/ids'
import { type Triaged, type TriageKind, triageMany } from './bulk'

const DONE: Record<TriageKind, string> = {
  acknowledge: 'Acknowledged',
  assign: 'Assigned',
  snooze: 'Snoozed',
  undo: 'Taken back for',
}

/** What a bulk act did, each one that it did not and why, and the way back. */
export function TriageOutcome({
  triaged,
  onUndone,
  onDismiss,
}: {
  triaged: Triaged
  onUndone: (undone: Triaged) => void
  onDismiss: () => void
}) {
  const requestId = useRef(newId('req'))
  const { send, pending, fault } = useVerb(triageMany, {
    onDone: onUndone,
    noAnswer: 'The console did not answer: trying again is safe.',
  })
  const { kind, done, failed } = triaged
  const all = done.length + failed.length
  const retryable = failed.filter((each) => each.retryable).length
  const undo = () => send('undo', done, { requestId: requestId.current, reason: '', fields: {} })
  return (
    <section aria-label="What was done" className="border-line border-t bg-sunken px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <p role="status" className="flex items-center gap-2 font-semibold">
          <StateMark standing={failed.length === 0 ? 'ok' : 'warn'} />
          {DONE[kind]}{' '}
          {failed.length === 0 ? plural(all, 'case') : `${done.length} of ${plural(all, 'case')}`}
        </p>
        {kind !== 'undo' && done.length > 0 && (
          <Button aria-disabled={pending} onClick={undo}>
            {pending ? 'Taking back …' : 'Undo'}
          </Button>
        )}
        <Button look="quiet" className="ml-auto" onClick={onDismiss}>
          Dismiss
        </Button>
      </div>
      {fault !== null && (
        <p role="alert" className="mt-1 text-bad-ink">
          {fault.why}
        </p>
      )}
      {failed.length > 0 && (
        <>
          <ul className="mt-1.5 max-h-48 overflow-y-auto rounded-m border border-line bg-surface">
            {failed.map(({ id, why }) => (
              <li
                key={id}
                className="flex flex-wrap gap-x-3 border-line border-b px-3 py-1.5 last:border-b-0"
              >
                <PageLink href={`/reconciliation/cases/${id}`} className="text-accent-ink hover:underline">
                  <ShortId id={id} />
                </PageLink>
                <span className="text-ink-2">{why}</span>
              </li>
            ))}
          </ul>
          <p className="mt-1 text-ink-2 text-s">
            {retryable === 0
              ? 'None of these would end otherwise if tried again as they are.'
              : `${plural(retryable, 'case')} may be tried again and stay selected.`}
          </p>
        </>
      )}
    </section>
  )
}
