'use client'

import { useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { type Link, newLink } from './act'
import { LinkTold } from './link-told'
import { UNANSWERED } from './told-once'

/** Another link for somebody who lost theirs, or their password. */
export function NewLink({ userId, name }: { userId: string; name: string }) {
  const [open, setOpen] = useState(false)
  const [reason, setReason] = useState('')
  const [answer, setAnswer] = useState<Attempted<Link> | null>(null)
  const [pending, startTransition] = useTransition()
  const close = () => {
    setOpen(false)
    setReason('')
    setAnswer(null)
  }
  const send = () =>
    startTransition(async () => setAnswer(await newLink(userId, reason).catch(() => UNANSWERED)))
  const told = answer?.kind === 'done'
  return (
    <>
      <Button look="quiet" onClick={() => setOpen(true)}>
        New link
      </Button>
      <Dialog
        open={open}
        onClose={close}
        title={`Make a new link for ${name}`}
        lead="They set another password by it; their sessions and tokens end then. You count as them until a second administrator confirms the account again."
        tone="danger"
        footer={
          <>
            <Button data-autofocus onClick={close}>
              {told ? 'Close' : 'Cancel'}
            </Button>
            {!told && (
              <Button look="danger" disabled={pending || !reasonIsEnough(reason)} onClick={send}>
                {pending ? 'Working …' : 'Make 1 link'}
              </Button>
            )}
          </>
        }
      >
        {!told && <ReasonField value={reason} onChange={setReason} />}
        <LinkTold answer={answer} />
      </Dialog>
    </>
  )
}
