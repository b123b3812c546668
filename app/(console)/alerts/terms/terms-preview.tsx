'use client'

import { useRef } from 'react'
import { Button } from '@/app/_ui/button'
import { fieldsOf } from '@/app/_ui/form-fields'
import { useVerb } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import { lookAtTerms, type TermsChange } from './actions'

/** How often the form's terms would have fired. */
export function TermsPreview() {
  const place = useRef<HTMLDivElement>(null)
  const { send, pending, answer: looked } = useVerb(lookAtTerms)
  const look = () => {
    const form = place.current?.closest('form')
    if (form) send(fieldsOf(form))
  }
  return (
    <div ref={place} className="min-w-0 rounded-m border border-line px-3 py-2.5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="font-medium">The last 7 days</span>
        <Button onClick={look} aria-disabled={pending}>
          {pending ? 'Looking …' : 'Preview'}
        </Button>
      </div>
      <div role="status" className="mt-1 text-ink-2">
        {looked === null ? (
          'How often it would have fired. Nothing is changed.'
        ) : looked.kind === 'done' ? (
          <TermsChanges changes={looked.value} />
        ) : (
          <span className="text-bad-ink">{looked.why}</span>
        )}
      </div>
    </div>
  )
}

const times = (count: number): string => (count === 0 ? 'not once' : plural(count, 'time'))

/** Of a rate what would have been; of all others what was, since what they are measured by is not kept. */
export function TermsChanges({ changes }: { changes: readonly TermsChange[] }) {
  if (changes.length === 0) return <p>Nothing is different.</p>
  return (
    <>
      {changes.map(({ kind, when, before, after }) => (
        <p key={JSON.stringify([kind, when])}>
          {after === null
            ? `Fired ${times(before)}. How often it would have is not known: what it is measured by is not kept.`
            : `Would have fired ${times(after)}; by the terms in force ${times(before)}.`}
        </p>
      ))}
    </>
  )
}
