import type { Charge, Life, Operation, Posting, Refund } from './operation'
import type { Unit } from './units'

/** The three sides of a unit as they were classified, in plain JSON. Nothing in it changes by merely looking again. */
export function sidesOf(operation: Operation, unit: Pick<Unit, 'lives' | 'charges' | 'refunds'>) {
  const ids = new Set([...unit.charges.flatMap(({ names }) => names), ...unit.refunds.map((r) => r.id)])
  const named = new Set(
    unit.lives.flatMap((life) => life.effects.flatMap(({ reference }) => reference ?? [])),
  )
  const postings = operation.postings.filter(
    ({ providerRef }) => providerRef !== null && (ids.has(providerRef) || named.has(providerRef)),
  )
  return {
    intent: unit.lives.map(lifeFacts),
    provider: [...unit.charges.map(chargeFacts), ...unit.refunds.map(refundFacts)],
    ledger: postings.map(postingFacts),
  }
}

export const lifeFacts = (life: Life) => ({
  source: life.sourceId,
  scope: life.scope,
  key: life.key,
  state: life.gone ? 'gone' : life.status,
  acquiredAt: life.acquiredAt.toISOString(),
  fence: life.fence,
  status: life.httpStatus,
  expiresAt: life.expiresAt?.toISOString() ?? null,
  leaseUntil: life.leaseUntil?.toISOString() ?? null,
  effects: life.effects.map(({ step, name, state, reference }) => ({ step, name, state, reference })),
})

export const money = (minor: bigint, currency: string) => ({ minor: minor.toString(), currency })

export const chargeFacts = (charge: Charge) => ({
  source: charge.sourceId,
  kind: 'charge',
  id: charge.id,
  ...(charge.taggedBy === null || charge.taggedBy === charge.id ? {} : { taggedBy: charge.taggedBy }),
  status: charge.status,
  captured: charge.captured,
  amount: money(charge.amountMinor, charge.currency),
  capturedAmount: money(charge.capturedMinor, charge.currency),
  refundedAmount: money(charge.refundedMinor, charge.currency),
  // The time of asking for what is absent would change the evidence each time.
  createdAt: charge.status === 'absent' ? null : charge.createdAt.toISOString(),
})

export const refundFacts = (refund: Omit<Refund, 'failedAt'>) => ({
  source: refund.sourceId,
  kind: 'refund',
  id: refund.id,
  charge: refund.chargeId,
  status: refund.status,
  amount: money(refund.amountMinor, refund.currency),
  createdAt: refund.status === 'absent' ? null : refund.createdAt.toISOString(),
})

export const postingFacts = (posting: Posting) => ({
  source: posting.sourceId,
  entry: posting.entryId,
  kind: posting.rawKind,
  providerRef: posting.providerRef,
  amount: money(posting.amountMinor, posting.currency),
  bookedAt: posting.bookedAt.toISOString(),
  reversed: posting.reversed,
})
