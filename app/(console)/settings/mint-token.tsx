'use client'

import { type FormEvent, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { fieldClass } from '@/app/_ui/field'
import { mint } from './act'
import { ToldOnce, UNANSWERED } from './told-once'

const DAYS = [7, 30, 90, 180, 365]
/** A quarter, as the server says without being asked. */
const DAYS_DEFAULT = 90

/** A token of one's own, with its end. It is shown once, here. */
export function MintToken() {
  const [pending, startTransition] = useTransition()
  const [answer, setAnswer] = useState<Attempted<{ token: string }> | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    startTransition(async () => {
      const attempted = await mint(String(data.get('name')), Number(data.get('days'))).catch(() => UNANSWERED)
      setAnswer(attempted)
      if (attempted.kind === 'done') form.reset()
    })
  }
  return (
    <>
      <form method="post" onSubmit={submit} className="flex flex-wrap items-end gap-2">
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
        <label>
          <span className="mb-1 block font-medium">Ends after</span>
          <select name="days" defaultValue={DAYS_DEFAULT} className={fieldClass}>
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {days} days
              </option>
            ))}
          </select>
        </label>
        <Button type="submit" className="h-9" disabled={pending}>
          {pending ? 'Working …' : 'Make 1 token'}
        </Button>
      </form>
      <ToldOnce
        answer={answer}
        lead={() => 'Copy it now: it is not shown again.'}
        secretOf={({ token }) => token}
        copyLabel="Copy token"
      />
    </>
  )
}
