'use client'

import { type FormEvent, useId, useState } from 'react'
import { Button } from '@/app/_ui/button'
import { AuthField } from '../auth-field'
import { sendSignIn } from './send-sign-in'

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
    const found = await sendSignIn(String(data.get('email')), String(data.get('password')))
    if (found === null) return window.location.replace(next)
    setBusy(false)
    setFault(found)
  }

  const shared = { fault: fault !== null, faultId: `${id}-fault` }
  return (
    // Without its script the form must not put a password into the address.
    <form method="post" onSubmit={submit} className="grid gap-4">
      <AuthField
        {...shared}
        id={`${id}-email`}
        label="Email"
        name="email"
        type="email"
        autoComplete="username"
      />
      <AuthField
        {...shared}
        id={`${id}-password`}
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
      />
      <p id={`${id}-fault`} role="alert" className="min-h-5 text-bad-ink">
        {fault}
      </p>
      <Button type="submit" look="primary" className="h-10 max-md:h-11" aria-disabled={busy}>
        {busy ? 'Signing in …' : 'Sign in'}
      </Button>
    </form>
  )
}
