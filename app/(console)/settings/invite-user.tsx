'use client'

import { type FormEvent, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { fieldClass } from '@/app/_ui/field'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { ROLES } from '@/lib/core/permissions'
import { inviteUser, type Link } from './act'
import { LinkTold } from './link-told'
import { UNANSWERED } from './told-once'

/** Another person, who sets their own password by a link. */
export function InviteUser() {
  const [pending, startTransition] = useTransition()
  const [reason, setReason] = useState('')
  const [answer, setAnswer] = useState<Attempted<Link> | null>(null)
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
      const attempted = await inviteUser(user).catch(() => UNANSWERED)
      setAnswer(attempted)
      if (attempted.kind !== 'done') return
      form.reset()
      setReason('')
    })
  }
  return (
    <details className="border-line border-t px-4 py-3">
      <summary className="font-medium text-accent-ink max-md:min-h-11">Invite a user</summary>
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
        <p className="text-ink-2">
          More than a viewer takes a second administrator. Whom you invite cannot approve what you propose,
          nor you what they propose.
        </p>
        <ReasonField value={reason} onChange={setReason} />
        <div className="flex justify-end">
          <Button type="submit" look="primary" disabled={pending || !reasonIsEnough(reason)}>
            {pending ? 'Working …' : 'Invite 1 user'}
          </Button>
        </div>
      </form>
      <LinkTold answer={answer} />
    </details>
  )
}
