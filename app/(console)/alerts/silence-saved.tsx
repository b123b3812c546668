'use client'

import { useState } from 'react'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { NotDoneNote } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import { useVerb } from '@/app/_ui/use-verb'
import { newId } from '@/lib/core/ids'
import { endSilence } from './actions'

type Props = { silence: { id: string; endsAt: string }; undoable: boolean; close: () => void }

/** It holds; a light one is taken back here as lightly as it was made. */
export function SilenceSaved({ silence, undoable, close }: Props) {
  const [requestId] = useState(() => newId('req'))
  const { send, pending, fault } = useVerb(endSilence, {
    onDone: close,
    noAnswer: 'The console did not answer. Trying again is safe.',
  })
  const undo = () => send(silence.id, { requestId, reason: 'undone right after it was made', fields: {} })
  return (
    <Dialog
      open
      onClose={close}
      title="Silenced"
      footer={
        <>
          {undoable && (
            <Button disabled={pending} onClick={undo}>
              {pending ? 'Working …' : 'Undo'}
            </Button>
          )}
          <Button look="primary" data-autofocus onClick={close}>
            Close
          </Button>
        </>
      }
    >
      <p role="status">
        Until <Time at={silence.endsAt} />. It can be ended at any time under Silences.
      </p>
      {fault !== null && <NotDoneNote fault={fault} />}
    </Dialog>
  )
}
