'use client'

import { type FormEvent, useId, useState } from 'react'
import { Button } from '@/app/_ui/button'

const FIELD = 'h-10 w-full rounded-m border border-edge bg-surface px-3 text-l max-md:h-11'

export function SignInForm({ next }: { next: string }) {
  const id = useId()
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string | null>(null)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (busy) return
    const data = new FormData(event.currentTarget)
    setBusy(true)
    setFault(null)
    const found = await signIn(String(data.get('email')), String(data.get('password')))
    if (found === null) return window.location.replace(next)
    setBusy(false)
    setFault(found)
  }

  return (
    // Without its script the form must not put a password into the address.
    <form method="post" onSubmit={submit} className="grid gap-4">
      <div className="grid gap-1.5">
        <label htmlFor={`${id}-email`} className="font-medium">
          Email
        </label>
        <input
          id={`${id}-email`}
          name="email"
          type="email"
          autoComplete="username"
          required
          aria-invalid={fault !== null}
          aria-describedby={`${id}-fault`}
          className={FIELD}
        />
      </div>
      <div className="grid gap-1.5">
        <label htmlFor={`${id}-password`} className="font-medium">
          Password
        </label>
        <input
          id={`${id}-password`}
          name="password"
          type="password"
          autoComplete="current-password"
          required
          aria-invalid={fault !== null}
          aria-describedby={`${id}-fault`}
          className={FIELD}
        />
      </div>
      <p id={`${id}-fault`} role="alert" className="min-h-5 text-bad-ink">
        {fault}
      </p>
      <Button type="submit" look="primary" className="h-10 max-md:h-11" aria-disabled={busy}>
        {busy ? 'Signing in …' : 'Sign in'}
      </Button>
    </form>
  )
}

/** Null when signed in; else what to tell. */
async function signIn(email: string, password: string): Promise<string | null> {
  const answer = await fetch('/api/auth/sign-in/email', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  }).catch(() => null)
  if (answer === null) return 'The console did not answer. Check your connection and try again.'
  if (answer.ok) return null
  if (answer.status === 401) return 'Email or password is wrong.'
  if (answer.status === 400) return 'Enter a complete email address and a password.'
  if (answer.status === 429) {
    const seconds = Number(answer.headers.get('retry-after'))
    return `Too many attempts on this account. Try again in ${seconds > 90 ? `${Math.ceil(seconds / 60)} min` : `${seconds || 60} s`}.`
  }
  return `Signing in failed (${answer.status}). Try again, or look at the web process’s log.`
}
