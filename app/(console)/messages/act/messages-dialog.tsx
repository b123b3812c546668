'use client'

import { useEffect, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { OpenActionDialog } from '@/app/_ui/action-dialog'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { Failures } from '@/app/_ui/failures'
import { StateMark } from '@/app/_ui/state-mark'
import { answered } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import type { MessageVerb } from '@/lib/core/states'
import { carryOutMessages, type DoneMessages, type MessageSnapshot, previewMessages } from '../actions'
import { type Meant, VERB } from './labels'
import { SnapshotPreview } from './snapshot-preview'

type Props = {
  verb: MessageVerb
  filter: Meant
  what: string
  place: string
  onClose: (changed: boolean) => void
}

/** A snapshot first, then the act, on exactly what was looked at. */
export function MessagesDialog({ verb, filter, what, place, onClose }: Props) {
  const [preview, setPreview] = useState<Attempted<MessageSnapshot> | null>(null)
  const [outcome, setOutcome] = useState<DoneMessages | null>(null)
  // One snapshot for each time that it opens: what arrives later is not part of it.
  const [wanted] = useState(filter)
  useEffect(() => {
    let current = true
    answered(previewMessages(verb, wanted), NO_ANSWER).then((looked) => current && setPreview(looked))
    return () => {
      current = false
    }
  }, [verb, wanted])
  if (outcome !== null) {
    return (
      <Dialog
        open
        onClose={() => onClose(true)}
        title="What was done"
        wide
        footer={
          <Button look="primary" onClick={() => onClose(true)} data-autofocus>
            Close
          </Button>
        }
      >
        <div role="status">
          <Outcome verb={verb} done={outcome} />
        </div>
      </Dialog>
    )
  }
  const snapshot = preview?.kind === 'done' ? preview.value : null
  const count = snapshot?.count ?? 0
  const second = snapshot?.needsSecondPerson === true
  return (
    <OpenActionDialog
      close={() => onClose(false)}
      wide
      tone={verb === 'discard' ? 'danger' : 'plain'}
      title={`${VERB[verb].name}: ${what} in ${place}`}
      lead={VERB[verb].lead}
      confirm={
        count === 0
          ? 'Nothing to do'
          : `${second ? `Propose to ${VERB[verb].name.toLowerCase()}` : VERB[verb].name} ${plural(count, 'message')} in ${place}`
      }
      confirmable={count > 0}
      withReason
      typed={second ? { label: 'How many', expected: String(count) } : null}
      action={({ reason }) => answered(carryOutMessages(verb, snapshot?.snapshotId ?? '', reason), NO_ANSWER)}
      onDone={setOutcome}
    >
      <SnapshotPreview preview={preview} />
    </OpenActionDialog>
  )
}

function Outcome({ verb, done: { kind, items } }: { verb: MessageVerb; done: DoneMessages }) {
  if (kind === 'proposed') {
    return (
      <p>
        <b className="font-semibold">It waits for a second person.</b> The proposal is on top of this page;
        nothing was changed.
      </p>
    )
  }
  if (kind === 'run') {
    return (
      <p>
        <b className="font-semibold">{VERB[verb].name} goes on as a job.</b> Its progress is on top of this
        page; closing the browser does not stop it.
      </p>
    )
  }
  const others = items.filter(({ state }) => state !== 'done')
  return (
    <>
      <p className="flex items-center gap-2 font-semibold">
        <StateMark standing={others.length === 0 ? 'ok' : 'warn'} />
        {VERB[verb].done}: {items.length - others.length} of {plural(items.length, 'message')}
      </p>
      <Failures
        noun="message"
        failed={others.map(({ id, state, text }) => ({
          id,
          why: `${state}: ${text ?? 'it is settled by reading the message again'}`,
          retryable: false,
        }))}
      />
    </>
  )
}

const NO_ANSWER =
  'The console did not answer. A snapshot is carried out at most once: close this and look at the fresh state.'
