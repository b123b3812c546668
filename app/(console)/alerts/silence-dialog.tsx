'use client'

import { useEffect, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { GuardedButton } from '@/app/_ui/guarded-button'
import { NotDoneNote } from '@/app/_ui/note'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { answered, useVerb } from '@/app/_ui/use-verb'
import { newId } from '@/lib/core/ids'
import { lookAtSilence, type SilenceForm, type SilenceLook, saveSilence } from './actions'
import { type Draft, formOf, SilenceFields } from './silence-fields'
import { SilencePreview } from './silence-preview'
import { SilenceSaved } from './silence-saved'

export type Silencing = {
  kinds: { value: string; label: string }[]
  environments: string[]
  place: string
  /** Why this person may not; the button stays visible and says so. */
  forbidden: string | null
}

type Props = Silencing & { opener: string; given?: { kind: string; subject: string } }

/** Silences alerts: what it would concern is seen before it is saved. It needs an end and a reason. */
export function SilenceDialog(props: Props) {
  const [requestId, setRequestId] = useState<string | null>(null)
  return (
    <div className="max-w-full">
      <GuardedButton forbidden={props.forbidden} onClick={() => setRequestId(newId('req'))}>
        {props.opener}
      </GuardedButton>
      {requestId !== null && <Opened {...props} requestId={requestId} close={() => setRequestId(null)} />}
    </div>
  )
}

const NO_ANSWER = 'The console did not answer. Trying again is safe.'
/** Somebody types: what is looked up waits for a pause. */
const PAUSE_MS = 250
const EMPTY: Draft = { kind: '', subject: '', prefix: false, environment: '', start: null, minutes: null }

type OpenedProps = Props & { requestId: string; close: () => void }

function Opened({ kinds, environments, place, given, requestId, close }: OpenedProps) {
  const [draft, setDraft] = useState<Draft>({ ...EMPTY, ...given })
  const [reason, setReason] = useState('')
  const form = formOf(draft)
  const { look, seen, pending, fault, saved, save } = useSilence(form, requestId)
  const long = seen?.tier === 2
  const enough = long ? reasonIsEnough(reason) : reason.trim() !== ''
  const ready = form !== null && seen !== null && !pending && enough
  if (saved !== null) return <SilenceSaved silence={saved} undoable={!long} close={close} />
  return (
    <Dialog
      open
      wide
      onClose={close}
      title={`Silence alerts in ${place}`}
      lead="They are evaluated and kept as ever, and stand here as silenced. Nobody is notified."
      footer={
        <>
          <Button data-autofocus onClick={close}>
            Cancel
          </Button>
          <Button
            look={ready ? 'primary' : 'plain'}
            aria-busy={pending}
            aria-disabled={!ready}
            onClick={() => ready && save(reason)}
          >
            {confirmText(seen, place)}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        <SilenceFields draft={draft} onChange={setDraft} kinds={kinds} environments={environments} />
        <SilencePreview look={look} waits={form === null} />
        <ReasonField value={reason} onChange={setReason} {...(long ? {} : { min: 1 })} />
        {seen !== null && !long && (
          <p className="text-ink-2 text-s">Up to an hour any reason will do; it can be undone at once.</p>
        )}
        {fault !== null && <NotDoneNote fault={fault} />}
      </div>
    </Dialog>
  )
}

/** What the form would concern, and saving exactly that. A second click is the same silence. */
function useSilence(form: SilenceForm | null, requestId: string) {
  const { send, pending, answer, fault } = useVerb(saveSilence, { noAnswer: NO_ANSWER })
  // Other alerts match by now: they are listed before it can be confirmed again.
  const look = useLook(form, fault?.code === 'conflict' ? fault.reference : '')
  const seen = look?.kind === 'done' ? look.value : null
  const save = (reason: string) => {
    if (form !== null && seen !== null) send({ requestId, form, reason, evidenceHash: seen.evidenceHash })
  }
  return { look, seen, pending, fault, saved: answer?.kind === 'done' ? answer.value : null, save }
}

/** The same while it works: were it shorter, the second click of a double click would be on Cancel. */
function confirmText(seen: SilenceLook | null, place: string): string {
  if (seen === null) return 'Silence alerts'
  const { length } = seen.matching
  return `Silence ${length === 1 ? '1 firing alert' : `${length} firing alerts`} in ${place}`
}

/** What the form would concern now; null while that is looked up. Another `turn` looks again. */
function useLook(form: SilenceForm | null, turn: string): Attempted<SilenceLook> | null {
  const [look, setLook] = useState<Attempted<SilenceLook> | null>(null)
  const asked = form === null ? null : JSON.stringify({ turn, form })
  useEffect(() => {
    let current = true
    setLook(null)
    if (asked === null) return
    const timer = setTimeout(async () => {
      const answer = await answered(lookAtSilence(JSON.parse(asked).form), NO_ANSWER)
      if (current) setLook(answer)
    }, PAUSE_MS)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [asked])
  return look
}
