'use client'

import { useRef } from 'react'
import { Button } from '@/app/_ui/button'
import { fieldsOf } from '@/app/_ui/form-fields'
import { useVerb } from '@/app/_ui/use-verb'
import { previewRule } from './actions'
import { PreviewText } from './preview-text'

/** What the form's rule would excuse of the open cases, as they are staged now. */
export function RulePreview() {
  const place = useRef<HTMLDivElement>(null)
  const { send, pending, answer: looked } = useVerb(previewRule)
  const look = () => {
    const form = place.current?.closest('form')
    if (form) send(fieldsOf(form))
  }
  return (
    <div ref={place} className="min-w-0 rounded-m border border-line px-3 py-2.5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="font-medium">What it would excuse</span>
        <Button onClick={look} aria-disabled={pending}>
          {pending ? 'Looking …' : 'Preview'}
        </Button>
      </div>
      <div role="status" className="mt-1 text-ink-2">
        {looked === null ? (
          'Open cases are checked again against the list with this rule in it. Nothing is changed.'
        ) : looked.kind === 'done' ? (
          <PreviewText preview={looked.value} />
        ) : (
          <span className="text-bad-ink">{looked.why}</span>
        )}
      </div>
    </div>
  )
}
