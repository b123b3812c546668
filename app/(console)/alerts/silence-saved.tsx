'use client'

import { useState, useTransition } from 'react'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { Time } from '@/app/_ui/time'
import { newId } from '@/lib/core/ids'
import { endSilence } from './act'

type Props = { silence: { id: string; endsAt: string }; undoable: boolean; close: () => void }

/** It holds; a light one is taken back here as lightly as it was made. */
export function SilenceSaved({ silence, undoable, close }: Props) {
  const [requestId] = useState(() => newId('req'))
  const [problem, setProblem] = useState<string | null>(null)
  const [pending, startTransition] = useTransition()
  const undo = () =>
    startTransition(async () => {
      const answer = await endSilence(silence.id, {
        requestId,
        reason: 'undone right after it was made',
      }).catch(() => null)
      if (answer?.kind === 'done') return close()
      setProblem(answer?.why ?? 'The console did not answer. Trying again is safe.')
    })
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
      <p role="alert" className="text-bad-ink empty:hidden">
        {problem}
      </p>
    </Dialog>
  )
}
