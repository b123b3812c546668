'use client'

import { useState } from 'react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { NotDoneNote } from '@/app/_ui/note'
import { REASON_MIN } from '@/app/_ui/reason-field'
import { Time } from '@/app/_ui/time'
import { useVerb } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import { newId } from '@/lib/core/ids'
import { endSilence, saveSilence } from './actions'
import { type SeenSilence, SilenceForm, type SilenceFormProps } from './silence-form'

export type Silencing = Pick<SilenceFormProps, 'kinds' | 'environments'> & {
  place: string
  /** Why this person may not; the button stays visible and says so. */
  forbidden: string | null
}

type Props = Silencing & { opener: string; given?: { kind: string; subject: string } }

/** Silences alerts: what it would concern is seen before it is saved. It needs an end and a reason. */
export function SilenceDialog({ opener, place, forbidden, ...form }: Props) {
  const [seen, setSeen] = useState<SeenSilence | null>(null)
  /** Of the last refusal: other alerts match by now, and are listed before it can be confirmed again. */
  const [turn, setTurn] = useState('')
  const [saved, setSaved] = useState<SavedSilence | null>(null)
  const long = seen?.look.tier === 2
  return (
    <>
      <ActionDialog
        opener={opener}
        forbidden={forbidden}
        title={`Silence alerts in ${place}`}
        lead="They are evaluated and kept as ever, and stand here as silenced. Nobody is notified."
        wide
        confirm={confirmText(seen, place)}
        confirmable={seen !== null}
        withReason
        reasonMin={long ? REASON_MIN : 1}
        action={async (input) => {
          if (seen === null) throw new Error('A silence was confirmed before it was looked at')
          const { form, look } = seen
          const answer = await saveSilence({ form, evidenceHash: look.evidenceHash }, input)
          if (answer.kind === 'not_done' && answer.code === 'conflict') setTurn(answer.reference)
          return answer
        }}
        onDone={setSaved}
      >
        <SilenceForm {...form} turn={turn} onSeen={setSeen} />
      </ActionDialog>
      {saved !== null && <Saved silence={saved} undoable={!long} close={() => setSaved(null)} />}
    </>
  )
}

const confirmText = (seen: SeenSilence | null, place: string): string =>
  seen === null
    ? 'Silence alerts'
    : `Silence ${plural(seen.look.matching.length, 'firing alert')} in ${place}`

type SavedSilence = { id: string; endsAt: string }
type SavedProps = { silence: SavedSilence; undoable: boolean; close: () => void }

/** It holds; a light one is taken back here as lightly as it was made. */
function Saved({ silence, undoable, close }: SavedProps) {
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
