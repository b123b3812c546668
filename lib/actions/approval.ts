import type { Actor } from '@/lib/core/actor'
import { AppError } from '@/lib/core/errors'

/** An approval is of evidence as it was: after this it has to be looked at again. */
const APPROVAL_MS = 15 * 60_000

export const approvalExpiresAt = (approvedAt: Date): Date => new Date(approvedAt.getTime() + APPROVAL_MS)

/** Four eyes: approving needs a person, and another one than proposed. The database checks it too. Throws `forbidden`. */
export function assertFourEyes(action: { proposerId: string | null }, actor: Actor): string {
  if (actor.kind !== 'user') throw new AppError('forbidden', 'Only a person can approve an action.')
  if (action.proposerId === null || action.proposerId === actor.userId) {
    throw new AppError('forbidden', 'Whoever proposed an action cannot approve it: ask another approver.', {
      meta: { reason: 'four_eyes' },
    })
  }
  return actor.userId
}

/** Only its proposer takes a proposal back. Throws `forbidden`. */
export function assertProposer(action: { proposerId: string | null }, actor: Actor): void {
  if (actor.kind !== 'user' || action.proposerId !== actor.userId)
    throw new AppError('forbidden', 'Only who proposed it can withdraw it; an approver can reject it.')
}
