'use client'

import { type ReactNode, useRef } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { fieldsOf } from '@/app/_ui/form-fields'
import { useVerb } from '@/app/_ui/use-verb'

type Props<T> = {
  title: string
  /** What it will say, before anybody has asked. */
  hint: string
  look: (fields: Record<string, string>) => Promise<Attempted<T>>
  children: (value: T) => ReactNode
}

/** What the form around it would do, asked for with its fields as they are. Nothing is changed by it. */
export function FormPreview<T>({ title, hint, look, children }: Props<T>) {
  const place = useRef<HTMLDivElement>(null)
  const { send, pending, answer: looked } = useVerb(look)
  const ask = () => {
    const form = place.current?.closest('form')
    if (form) send(fieldsOf(form))
  }
  return (
    <div ref={place} className="min-w-0 rounded-m border border-line px-3 py-2.5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="font-medium">{title}</span>
        <Button onClick={ask} aria-disabled={pending}>
          {pending ? 'Looking …' : 'Preview'}
        </Button>
      </div>
      <div role="status" className="mt-1 text-ink-2">
        {looked === null ? (
          hint
        ) : looked.kind === 'done' ? (
          children(looked.value)
        ) : (
          <span className="text-bad-ink">{looked.why}</span>
        )}
      </div>
    </div>
  )
}
