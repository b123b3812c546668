'use client'

import { useState } from 'react'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { NotDoneNote } from '@/app/_ui/note'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { useVerb } from '@/app/_ui/use-verb'
import { newLink } from './actions'
import { ShownLink } from './shown-once'

/** Another link for somebody who lost theirs, or their password. */
export function NewLink({ userId, name }: { userId: string; name: string }) {
  const [open, setOpen] = useState(false)
  const [reason, setReason] = useState('')
  const { send, pending, answer, fault, forget } = useVerb(newLink, {
    noAnswer: 'The console did not answer: look at the list before you try again.',
  })
  const close = () => {
    setOpen(false)
    setReason('')
    forget()
  }
  const made = answer?.kind === 'done' ? answer.value : null
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
              {made === null ? 'Cancel' : 'Close'}
            </Button>
            {made === null && (
              <Button
                look="danger"
                disabled={pending || !reasonIsEnough(reason)}
                onClick={() => send(userId, reason)}
              >
                {pending ? 'Working …' : 'Make 1 link'}
              </Button>
            )}
          </>
        }
      >
        {made === null && <ReasonField value={reason} onChange={setReason} />}
        <div role="status" className="mt-2 empty:hidden">
          {fault !== null && <NotDoneNote fault={fault} />}
          {made !== null && <ShownLink {...made} />}
        </div>
      </Dialog>
    </>
  )
}
