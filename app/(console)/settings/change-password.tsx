'use client'

import { type FormEvent, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { fieldClass } from '@/app/_ui/field'
import { changePassword } from './act'
import { UNANSWERED } from './told-once'

export function ChangePassword() {
  const [pending, startTransition] = useTransition()
  const [answer, setAnswer] = useState<Attempted<null> | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    startTransition(async () => {
      const attempted = await changePassword(String(data.get('current')), String(data.get('next'))).catch(
        () => UNANSWERED,
      )
      setAnswer(attempted)
      if (attempted.kind === 'done') form.reset()
    })
  }
  return (
    <details>
      <summary className="font-medium text-accent-ink max-md:min-h-11">Change your password</summary>
      <form method="post" onSubmit={submit} className="mt-3 grid gap-3">
        <label className="block">
          <span className="mb-1 block font-medium">Current password</span>
          <input
            name="current"
            type="password"
            autoComplete="current-password"
            required
            className={fieldClass}
          />
        </label>
        <label className="block">
          <span className="mb-1 block font-medium">New password, at least 12 characters</span>
          <input
            name="next"
            type="password"
            autoComplete="new-password"
            required
            minLength={12}
            maxLength={128}
            className={fieldClass}
          />
        </label>
        <div className="flex justify-end">
          <Button type="submit" disabled={pending}>
            {pending ? 'Working …' : 'Change 1 password'}
          </Button>
        </div>
      </form>
      <p role="status" className="mt-2 empty:hidden">
        {answer?.kind === 'not_done' && <span className="text-bad-ink">{answer.why}</span>}
        {answer?.kind === 'done' && (
          <span className="text-ok-ink">Changed. Your other sessions have ended.</span>
        )}
      </p>
    </details>
  )
}
