'use client'

import { useEffect, useId, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { answered, useVerb } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import type { LockFilter } from '@/lib/core/lock-filter'
import { carryOut, type LockPreview, previewSelection, type WantedVerb } from '../actions'
import { isRetryable, VERB } from '../labels'
import { Outcome } from './resolve-outcome'
import { Preview } from './resolve-preview'

/** What is to be acted on, and in words; `onDone` keeps the locks selected that may be tried again. */
export type Selection = {
  filter: LockFilter
  what: string
  verb?: WantedVerb
  onDone?: (retryable: string[]) => void
}

type Props = { selection: Selection | null; environment: string; onClose: () => void }

const CHOICES: { value: WantedVerb; name: string; text: string }[] = [
  {
    value: 'as_assessed',
    name: 'As the evidence says',
    text: 'Each lock gets the act of its verdict, if it has one.',
  },
  ...(['release', 'complete'] as const).map((value) => ({
    value,
    name: VERB[value].name,
    text: VERB[value].consequence,
  })),
]

/** A snapshot first, then the action, on exactly what was looked at. */
export function ResolveDialog({ selection, ...props }: Props) {
  return selection === null ? null : <Resolving selection={selection} {...props} />
}

function Resolving({ selection, environment, onClose }: Props & { selection: Selection }) {
  const id = useId()
  const [wanted, setWanted] = useState<WantedVerb>(selection.verb ?? 'as_assessed')
  const [preview, setPreview] = useState<Attempted<LockPreview> | null>(null)
  const [reason, setReason] = useState('')
  const {
    send,
    pending,
    answer: outcome,
  } = useVerb(carryOut, {
    noAnswer: NO_ANSWER,
    onDone: (carried) => {
      const items = carried.flatMap((each) => each.items)
      selection.onDone?.(items.filter(({ reason: why }) => isRetryable(why)).map((item) => item.id))
    },
  })

  // One snapshot for each choice: what arrives later is not part of it.
  useEffect(() => {
    let current = true
    setPreview(null)
    answered(previewSelection(wanted, selection.filter), NO_ANSWER).then(
      (looked) => current && setPreview(looked),
    )
    return () => {
      current = false
    }
  }, [wanted, selection.filter])

  const snapshots = preview?.kind === 'done' ? preview.value.snapshots : []
  const count = snapshots.reduce((sum, snapshot) => sum + snapshot.count, 0)
  const blocked = pending || count === 0 || !reasonIsEnough(reason)
  const act = () => {
    if (blocked) return
    send(
      snapshots.map(({ verb, snapshotId }) => ({ verb, snapshotId })),
      reason,
    )
  }
  const place = environment.toUpperCase()
  if (outcome !== null) {
    return (
      <Dialog
        open
        onClose={onClose}
        title={outcome.kind === 'done' ? 'What was done' : 'It was not done'}
        wide
        footer={
          <Button look="primary" onClick={onClose} data-autofocus>
            Close
          </Button>
        }
      >
        <Outcome outcome={outcome} />
      </Dialog>
    )
  }
  return (
    <Dialog
      open
      onClose={onClose}
      wide
      title={`${wanted === 'as_assessed' ? 'Resolve' : VERB[wanted].name} ${selection.what} in ${place}`}
      lead="Store and provider are read again now. Nothing is changed before you confirm."
      footer={
        <>
          {pending && (
            <p role="status" className="mr-auto text-ink-2">
              Working …
            </p>
          )}
          <Button onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button look={blocked && !pending ? 'plain' : 'primary'} aria-disabled={blocked} onClick={act}>
            {confirmText(snapshots, place)}
          </Button>
        </>
      }
    >
      <fieldset className="grid gap-1.5 sm:grid-cols-2">
        <legend className="mb-1.5 font-medium">What is to be done</legend>
        {CHOICES.map(({ value, name, text }) => (
          <label
            key={value}
            htmlFor={`${id}-${value}`}
            className="flex cursor-pointer items-start gap-2.5 rounded-m border border-line px-3 py-2 has-checked:border-accent has-checked:bg-accent-soft"
          >
            <input
              id={`${id}-${value}`}
              type="radio"
              name={`${id}-verb`}
              checked={wanted === value}
              onChange={() => setWanted(value)}
              className="mt-0.5 size-4 shrink-0 accent-accent-fill"
            />
            <span>
              <span className="block font-medium">{name}</span>
              <span className="block text-ink-2 text-s">{text}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Preview preview={preview} />
      <ReasonField value={reason} onChange={setReason} />
    </Dialog>
  )
}

function confirmText(snapshots: LockPreview['snapshots'], place: string): string {
  const [only, ...others] = snapshots
  if (only === undefined) return 'Nothing to do'
  if (others.length === 0) return `${VERB[only.verb].name} ${plural(only.count, 'lock')} in ${place}`
  const parts = snapshots.map(({ verb, count }) => `${VERB[verb].name.toLowerCase()} ${count}`)
  const text = parts.join(', ')
  return `${text[0]?.toUpperCase()}${text.slice(1)} in ${place}`
}

const NO_ANSWER =
  'The console did not answer. A snapshot is carried out at most once: close this and look at the fresh state.'
