'use client'

import { useRef, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { previewRule, type RulesPreview } from './act'
import { PreviewText } from './preview-text'

/** What the form's rule would excuse of the open cases, as they are staged now. */
export function RulePreview() {
  const place = useRef<HTMLDivElement>(null)
  const [looked, setLooked] = useState<Attempted<RulesPreview> | null>(null)
  const [pending, startTransition] = useTransition()
  const look = () => {
    const form = place.current?.closest('form')
    if (pending || !form) return
    const fields = Object.fromEntries(
      [...new FormData(form)].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    )
    startTransition(async () => {
      setLooked(
        await previewRule(fields).catch(
          (): Attempted<RulesPreview> => ({
            kind: 'not_done',
            code: 'unavailable',
            why: 'The console did not answer.',
            reference: '',
          }),
        ),
      )
    })
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
          'Open cases are judged again by the list with this rule in it. Nothing is changed.'
        ) : looked.kind === 'done' ? (
          <PreviewText preview={looked.value} />
        ) : (
          <span className="text-bad-ink">{looked.why}</span>
        )}
      </div>
    </div>
  )
}
