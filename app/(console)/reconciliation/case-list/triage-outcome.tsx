'use client'

import { useRef } from 'react'
import { Button } from '@/app/_ui/button'
import { Failures } from '@/app/_ui/failures'
import { StateMark } from '@/app/_ui/state-mark'
import { useVerb } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import { newId } from '@/lib/core/ids'
import { type Triaged, type TriageKind, triageMany } from './bulk'

const DONE: Record<TriageKind, string> = {
  acknowledge: 'Acknowledged',
  assign: 'Assigned',
  snooze: 'Snoozed',
  undo: 'Taken back for',
}

/** What a bulk action did, each one that it did not and why, and the way back. */
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
  const undo = () => send('undo', done, { requestId: requestId.current, reason: '', fields: {} })
  return (
    <section aria-label="What was done" className="border-line border-t bg-sunken px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <p role="status" className="flex items-center gap-2 font-semibold">
          <StateMark standing={failed.length === 0 ? 'ok' : 'warn'} says={null} />
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
      <Failures
        noun="case"
        failed={failed.map((each) => ({ ...each, href: `/reconciliation/cases/${each.id}` }))}
      />
    </section>
  )
}
