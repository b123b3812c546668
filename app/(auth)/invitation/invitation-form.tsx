'use client'

import { type FormEvent, useEffect, useId, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { AuthField } from '../auth-field'
import { sendSignIn } from '../sign-in/send-sign-in'
import { accept, look } from './actions'

type Open = { email: string; name: string; inviter: string | null }

/** Shows whose account the link opens; its person sets a password and is signed in. */
export function InvitationForm() {
  const [secret, setSecret] = useState('')
  const [found, setFound] = useState<Attempted<Open> | null>(null)
  useEffect(() => {
    const given = window.location.hash.slice(1)
    setSecret(given)
    look(given).then(setFound, () => setFound(UNANSWERED))
  }, [])
  if (found === null) return <p role="status">Looking at your invitation …</p>
  if (found.kind === 'not_done') {
    return (
      <p role="alert" className="text-bad-ink">
        {found.why}
      </p>
    )
  }
  return <PasswordForm secret={secret} open={found.value} />
}

const UNANSWERED: Attempted<never> = {
  kind: 'not_done',
  code: 'unavailable',
  why: 'The console did not answer. Check your connection and open the link again.',
  reference: 'none',
}

function PasswordForm({ secret, open }: { secret: string; open: Open }) {
  const id = useId()
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string | null>(null)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (busy) return
    const password = String(new FormData(event.currentTarget).get('password'))
    setBusy(true)
    setFault(null)
    const accepted = await accept(secret, password).catch(() => UNANSWERED)
    const why = accepted.kind === 'done' ? await sendSignIn(accepted.value.email, password) : accepted.why
    if (why === null) return window.location.replace('/settings#account')
    setBusy(false)
    setFault(why)
  }

  return (
    <form method="post" onSubmit={submit} className="grid gap-4">
      <p>
        {open.inviter ?? 'The operator of this console'} invites you as{' '}
        <span className="font-medium">{open.name}</span>. Choose a password that nobody else knows: with it
        you act under your name.
      </p>
      <input type="hidden" name="username" value={open.email} autoComplete="username" readOnly />
      <p className="break-all text-ink-2">{open.email}</p>
      <AuthField
        id={`${id}-password`}
        label="Password, at least 12 characters"
        fault={fault !== null}
        faultId={`${id}-fault`}
        name="password"
        type="password"
        minLength={12}
        maxLength={128}
        autoComplete="new-password"
      />
      <p id={`${id}-fault`} role="alert" className="min-h-5 text-bad-ink">
        {fault}
      </p>
      <Button type="submit" look="primary" className="h-10 max-md:h-11" aria-disabled={busy}>
        {busy ? 'Working …' : 'Set password and sign in'}
      </Button>
    </form>
  )
}
