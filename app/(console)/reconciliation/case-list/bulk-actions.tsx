'use client'

import { ActionDialog } from '@/app/_ui/action-dialog'
import { plural } from '@/lib/core/format-figure'
import { OwnerField, type Person, SnoozeFields } from '../triage-fields'
import { type Triaged, type TriageKind, triageMany } from './bulk'

type Props = {
  ids: readonly string[]
  people: readonly Person[]
  /** Why this person may not. */
  refusal: string | null
  place: string
  onDone: (triaged: Triaged) => void
}

const WORDS: Record<Exclude<TriageKind, 'undo'>, { verb: string; lead: string }> = {
  acknowledge: {
    verb: 'Acknowledge',
    lead: 'Others see that somebody has looked at them. It can be undone.',
  },
  assign: { verb: 'Assign', lead: 'They get one owner, whoever has them now. It can be undone.' },
  snooze: {
    verb: 'Snooze',
    lead: 'They leave the open list and come back by themselves. It can be undone.',
  },
}

/** What can be done to all that is chosen. Nothing of it changes money or keys. */
export function BulkActions({ ids, people, refusal, place, onDone }: Props) {
  const forbidden = refusal ?? (ids.length === 0 ? 'Select cases first' : null)
  const cases = plural(ids.length, 'case')
  return (['acknowledge', 'assign', 'snooze'] as const).map((kind) => (
    <ActionDialog
      key={kind}
      opener={`${WORDS[kind].verb}…`}
      forbidden={forbidden}
      title={`${WORDS[kind].verb} ${cases} in ${place}`}
      lead={WORDS[kind].lead}
      confirm={`${WORDS[kind].verb} ${cases} in ${place}`}
      withReason
      action={triageMany.bind(null, kind, ids)}
      onDone={onDone}
    >
      {kind === 'assign' && <OwnerField people={people} />}
      {kind === 'snooze' && <SnoozeFields />}
    </ActionDialog>
  ))
}
