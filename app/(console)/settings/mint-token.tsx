'use client'

import { type FormEvent, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { CopyButton } from '@/app/_ui/copy-button'
import { fieldClass } from '@/app/_ui/field'
import { mint } from './act'

/** A token of one's own. It is shown once, here. */
export function MintToken() {
  const [pending, startTransition] = useTransition()
  const [answer, setAnswer] = useState<Attempted<{ token: string }> | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const name = new FormData(form).get('name')
    startTransition(async () => {
      const attempted = await mint(typeof name === 'string' ? name : '').catch(
        (): Attempted<{ token: string }> => ({
          kind: 'not_done',
          code: 'unavailable',
          why: 'The console did not answer: look at the list before you try again.',
          reference: 'none',
        }),
      )
      setAnswer(attempted)
      if (attempted.kind === 'done') form.reset()
    })
  }
  return (
    <>
      <form onSubmit={submit} className="flex flex-wrap items-end gap-2">
        <label className="min-w-40 flex-1">
          <span className="mb-1 block font-medium">Name of a new token</span>
          <input
            name="name"
            required
            maxLength={64}
            placeholder="laptop"
            autoComplete="off"
            className={fieldClass}
          />
        </label>
        <Button type="submit" className="h-9" disabled={pending}>
          {pending ? 'Working …' : 'Make 1 token'}
        </Button>
      </form>
      <div role="status" className="mt-2 empty:hidden">
        {answer?.kind === 'not_done' && <p className="text-bad-ink">{answer.why}</p>}
        {answer?.kind === 'done' && (
          <div className="rounded-m bg-ok-soft px-3 py-2 text-ok-ink">
            <p className="font-medium">Copy it now: it is not shown again.</p>
            <p className="flex flex-wrap items-center gap-2">
              <code className="break-all font-mono text-s">{answer.value.token}</code>
              <CopyButton text={answer.value.token} label="Copy token" />
            </p>
          </div>
        )}
      </div>
    </>
  )
}
