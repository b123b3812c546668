'use client'

import { type FormEvent, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { CopyButton } from '@/app/_ui/copy-button'
import { fieldClass } from '@/app/_ui/field'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { ROLES } from '@/lib/core/permissions'
import { add } from './act'

type Answer = Attempted<{ email: string; password: string }>

const UNANSWERED: Answer = {
  kind: 'not_done',
  code: 'unavailable',
  why: 'The console did not answer: look at the list before you try again.',
  reference: 'none',
}

/** Another person. Their first password is shown once, here. */
export function AddUser() {
  const [pending, startTransition] = useTransition()
  const [reason, setReason] = useState('')
  const [answer, setAnswer] = useState<Answer | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    const text = (name: string) => {
      const value = data.get(name)
      return typeof value === 'string' ? value : ''
    }
    const user = { email: text('email'), name: text('name'), role: text('role'), reason }
    startTransition(async () => {
      const attempted = await add(user).catch(() => UNANSWERED)
      setAnswer(attempted)
      if (attempted.kind !== 'done') return
      form.reset()
      setReason('')
    })
  }
  return (
    <details className="border-line border-t px-4 py-3">
      <summary className="font-medium text-accent-ink max-md:min-h-11">Add a user</summary>
      <form method="post" onSubmit={submit} className="mt-3 grid gap-3">
        <label className="block">
          <span className="mb-1 block font-medium">Email</span>
          <input
            name="email"
            type="email"
            required
            maxLength={200}
            autoComplete="off"
            className={fieldClass}
          />
        </label>
        <div className="grid grid-cols-2 gap-3">
          <label className="block">
            <span className="mb-1 block font-medium">Name</span>
            <input name="name" required maxLength={60} autoComplete="off" className={fieldClass} />
          </label>
          <label className="block">
            <span className="mb-1 block font-medium">Role</span>
            <select name="role" defaultValue="viewer" className={fieldClass}>
              {ROLES.map((role) => (
                <option key={role}>{role}</option>
              ))}
            </select>
          </label>
        </div>
        <ReasonField value={reason} onChange={setReason} />
        <div className="flex justify-end">
          <Button type="submit" look="primary" disabled={pending || !reasonIsEnough(reason)}>
            {pending ? 'Working …' : 'Add 1 user'}
          </Button>
        </div>
      </form>
      <div role="status" className="mt-2 empty:hidden">
        {answer?.kind === 'not_done' && <p className="text-bad-ink">{answer.why}</p>}
        {answer?.kind === 'done' && (
          <div className="rounded-m bg-ok-soft px-3 py-2 text-ok-ink">
            <p className="font-medium">
              Password of {answer.value.email}: hand it over now, it is not shown again.
            </p>
            <p className="flex flex-wrap items-center gap-2">
              <code className="break-all font-mono text-s">{answer.value.password}</code>
              <CopyButton text={answer.value.password} label="Copy password" />
            </p>
          </div>
        )}
      </div>
    </details>
  )
}
