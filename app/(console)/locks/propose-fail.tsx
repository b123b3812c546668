'use client'

import { ActDialog } from '@/app/_ui/act-dialog'
import { proposeFailure } from './act'
import type { LockRow, Permit } from './read-locks'
import { VERB } from './words'

/** Asks for a second person's word that this key is ended without effect; nothing is changed by it. */
export function ProposeFail({ lock, permit }: { lock: LockRow; permit: Permit }) {
  return (
    <ActDialog
      opener="Propose to fail…"
      forbidden={permit.refusal}
      tone="danger"
      title={`Propose to fail 1 key in ${permit.environment.toUpperCase()}`}
      lead={`${VERB.fail.consequence} Nothing is changed before a second person approves: store and provider are read again then.`}
      confirm="Propose 1 failure"
      withReason
      act={proposeFailure.bind(null, { id: lock.id, seen: lock.version })}
    />
  )
}
