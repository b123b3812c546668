'use client'

import { useEffect, useId, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { OpenActionDialog } from '@/app/_ui/action-dialog'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { Failures } from '@/app/_ui/failures'
import { StateMark } from '@/app/_ui/state-mark'
import { answered } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import type { LockFilter } from '@/lib/core/lock-filter'
import { isRetryable } from '@/lib/core/refusals'
import { type CarriedOut, carryOut, type LockPreview, previewSelection, type WantedVerb } from '../actions'
import { VERB } from '../labels'
import { Preview } from './resolve-preview'

/** What is to be acted on, and in words; `onDone` keeps the locks selected that may be tried again. */
export type Selection = {
  filter: LockFilter
  what: string
  verb?: WantedVerb
  onDone?: (retryable: string[]) => void
}

type Props = { selection: Selection; place: string; onClose: () => void }

const CHOICES: { value: WantedVerb; name: string; text: string }[] = [
  {
    value: 'as_assessed',
    name: 'As the evidence says',
    text: 'Each lock gets the action of its verdict, if it has one.',
  },
  ...(['release', 'complete'] as const).map((value) => ({
    value,
    name: VERB[value].name,
    text: VERB[value].consequence,
  })),
]

/** A snapshot first, then the action, on exactly what was looked at. */
export function ResolveDialog({ selection, place, onClose }: Props) {
  const id = useId()
  const [wanted, setWanted] = useState<WantedVerb>(selection.verb ?? 'as_assessed')
  const [preview, setPreview] = useState<Attempted<LockPreview> | null>(null)
  const [outcome, setOutcome] = useState<CarriedOut[] | null>(null)

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

  if (outcome !== null) {
    return (
      <Dialog
        open
        onClose={onClose}
        title="What was done"
        wide
        footer={
          <Button look="primary" onClick={onClose} data-autofocus>
            Close
          </Button>
        }
      >
        <div role="status" className="grid gap-4">
          {outcome.map((carried) => (
            <Outcome key={carried.snapshotId} carried={carried} />
          ))}
        </div>
      </Dialog>
    )
  }
  const snapshots = preview?.kind === 'done' ? preview.value.snapshots : []
  const wantedIds = snapshots.map(({ verb, snapshotId }) => ({ verb, snapshotId }))
  return (
    <OpenActionDialog
      close={onClose}
      wide
      title={`${wanted === 'as_assessed' ? 'Resolve' : VERB[wanted].name} ${selection.what} in ${place}`}
      lead="Store and provider are read again now. Nothing is changed before you confirm."
      confirm={confirmText(snapshots, place)}
      confirmable={snapshots.some(({ count }) => count > 0)}
      withReason
      action={({ reason }) => answered(carryOut(wantedIds, reason), NO_ANSWER)}
      onDone={(carried) => {
        setOutcome(carried)
        const ended = carried.flatMap(({ items }) => items ?? [])
        selection.onDone?.(ended.filter(({ reason }) => isRetryable(reason)).map(({ id }) => id))
      }}
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
    </OpenActionDialog>
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

/** How many were done, and each one that was not. */
function Outcome({ carried: { verb, items } }: { carried: CarriedOut }) {
  if (items === null) {
    return (
      <p>
        <b className="font-semibold">{VERB[verb].name} goes on as a job.</b> Its progress is on top of this
        page; closing the browser does not stop it.
      </p>
    )
  }
  const others = items.filter(({ state }) => state !== 'done')
  return (
    <section>
      <p className="flex items-center gap-2 font-semibold">
        <StateMark standing={others.length === 0 ? 'ok' : 'warn'} />
        {VERB[verb].done} {items.length - others.length} of {plural(items.length, 'lock')}
      </p>
      <Failures
        noun="lock"
        failed={others.map(({ id, state, text, reason }) => ({
          id,
          why: `${state}: ${text ?? 'it is settled by reading the store again'}`,
          retryable: isRetryable(reason),
        }))}
      />
    </section>
  )
}

const NO_ANSWER =
  'The console did not answer. A snapshot is carried out at most once: close this and look at the fresh state.'
