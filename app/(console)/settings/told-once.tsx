'use client'

import type { ReactNode } from 'react'
import type { Attempted, NotDone } from '@/app/_server/attempt'
import { CopyButton } from '@/app/_ui/copy-button'

/** Nobody knows whether it was done. */
export const UNANSWERED: NotDone = {
  kind: 'not_done',
  code: 'unavailable',
  why: 'The console did not answer: look at the list before you try again.',
  reference: 'none',
}

/** A secret that is kept nowhere: it is shown here, now. */
export function ToldOnce<T>({
  answer,
  lead,
  secretOf,
  copyLabel,
  note,
}: {
  answer: Attempted<T> | null
  lead: (value: T) => ReactNode
  secretOf: (value: T) => string
  copyLabel: string
  note?: (value: T) => ReactNode
}) {
  return (
    <div role="status" className="mt-2 empty:hidden">
      {answer?.kind === 'not_done' && <p className="text-bad-ink">{answer.why}</p>}
      {answer?.kind === 'done' && (
        <div className="rounded-m bg-ok-soft px-3 py-2 text-ok-ink">
          <p className="font-medium">{lead(answer.value)}</p>
          <p className="flex flex-wrap items-center gap-2">
            <code className="break-all font-mono text-s">{secretOf(answer.value)}</code>
            <CopyButton text={secretOf(answer.value)} label={copyLabel} />
          </p>
          {note?.(answer.value)}
        </div>
      )}
    </div>
  )
}
