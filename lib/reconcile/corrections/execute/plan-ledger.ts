import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { isFeeOf } from '@/lib/reconcile/classify/aspects/value'
import type { Charge, Dispute, Operation, Posting, Refund } from '@/lib/reconcile/classify/operation'
import type { LedgerCorrection } from '@/lib/sources/contracts'
import { whyNotBookable } from '../posting-kind'
import type { CorrectionParams, Plan } from './correction-plan'
import type { Gathered } from './gather'

export const only = (ids: readonly string[] | null): string | null =>
  ids?.length === 1 ? (ids[0] ?? null) : null

export function refundOf({ finding, operation }: Gathered): Refund {
  const id = only(finding?.subject.effectIds ?? [])
  const refund = operation.refunds.find((each) => each.id === id)
  if (refund === undefined) throw new AppError('unprocessable', 'The refund is not known at the provider.')
  if (refund.status !== 'succeeded') {
    throw new AppError(
      'unprocessable',
      `${refund.id} is ${refund.status} at the provider: only a succeeded one is booked.`,
    )
  }
  return refund
}

export function disputeOf({ finding, operation }: Gathered): Dispute {
  const id = only(finding?.subject.effectIds ?? [])
  const dispute = operation.disputes.find((each) => each.id === id)
  if (dispute === undefined) throw new AppError('unprocessable', 'The dispute is not known at the provider.')
  if (dispute.chargeId === null)
    throw new AppError('unprocessable', `${dispute.id} names no charge: it cannot be booked from here.`)
  return dispute
}

export function planBooking(
  gathered: Gathered,
  object: Charge | Refund | Dispute,
  kind: 'book_charge' | 'book_refund' | 'book_dispute',
): Plan {
  const isCharge = 'captured' in object
  const amountMinor = isCharge ? object.capturedMinor : object.amountMinor
  if (amountMinor <= 0n)
    throw new AppError('unprocessable', `${object.id} moved no money: there is nothing to book.`)
  return ledgerPlan(gathered, object, amountMinor, {
    kind,
    entryId: null,
    providerRef: object.id,
    chargeRef: isCharge ? object.id : object.chargeId,
    paymentIntent: isCharge ? object.paymentIntentId : null,
    reference: gathered.finding?.subject.reference ?? object.reference,
    amountMinor,
    currency: object.currency,
  })
}

/** The provider's fee where none is booked any more. A difference is not booked: the provider has no id for one. */
export function planFee(gathered: Gathered, charge: Charge): Plan {
  const { feeMinor, feeRef } = charge
  if (feeMinor === null || feeRef === null)
    throw new AppError('unprocessable', `The balance transaction of ${charge.id} is not known.`)
  const fees = gathered.operation.postings.filter((posting) => isFeeOf(posting, charge.id))
  const live = fees.find(({ reversed }) => !reversed)
  if (live !== undefined)
    throw new AppError('unprocessable', `A fee is booked as ${live.entryId}: reverse it first.`)
  // By nothing else would the new posting be recognised as this charge's fee.
  if (!fees.some(({ chargeRef }) => chargeRef === charge.id))
    throw new AppError(
      'unprocessable',
      'The mapping of this ledger does not say to which charge a fee belongs.',
    )
  if (feeMinor <= 0n) throw new AppError('unprocessable', `Nothing was kept of ${charge.id}.`)
  return ledgerPlan(gathered, charge, feeMinor, {
    kind: 'book_fee',
    entryId: null,
    providerRef: feeRef,
    chargeRef: charge.id,
    paymentIntent: null,
    reference: gathered.finding?.subject.reference ?? charge.reference,
    amountMinor: feeMinor,
    currency: charge.currency,
  })
}

export function planReversal(gathered: Gathered, params: CorrectionParams): Plan {
  const posting = postingOf(gathered, params)
  if (posting.providerRef === null) {
    throw new AppError(
      'unprocessable',
      'The posting names no provider object: it cannot be reversed from here.',
    )
  }
  const { chargeRef } = posting
  // By the charge's own id and provider, so that it waits for a refund of the same charge that is in flight.
  const charge = gathered.operation.charges.find(
    ({ names }) => chargeRef !== null && names.includes(chargeRef),
  )
  const object = {
    id: charge?.id ?? chargeRef ?? posting.providerRef,
    sourceId: charge?.sourceId ?? null,
    currency: posting.currency,
  }
  return ledgerPlan(gathered, object, posting.amountMinor, {
    kind: 'reverse',
    entryId: posting.entryId,
    providerRef: posting.providerRef,
    chargeRef: posting.chargeRef,
    paymentIntent: null,
    reference: posting.reference,
    amountMinor: posting.amountMinor,
    currency: posting.currency,
  })
}

/** The id under which a refund is booked that is not its own. */
const bookedUnder = z.object({ bookedUnder: z.string().optional() })

const isNamed = ({ providerRef }: Posting, id: string): boolean => providerRef === id

/** The one posting that is meant: named, or the only one, or of a double booking the later one. */
function postingOf({ finding, operation }: Gathered, params: CorrectionParams): Posting {
  const under = bookedUnder.parse(finding?.evidence ?? {}).bookedUnder
  const effectIds = [...(finding?.subject.effectIds ?? []), ...(under === undefined ? [] : [under])]
  const isMeant = finding?.class === 'fee_variance' ? isFeeOf : isNamed
  const postings = operation.postings.filter(
    (posting) => !posting.reversed && effectIds.some((id) => isMeant(posting, id)),
  )
  const chosen =
    params.entryId === undefined
      ? postings.at(-1)
      : postings.find(({ entryId }) => entryId === params.entryId)
  if (chosen === undefined)
    throw new AppError('unprocessable', 'There is no such posting that is not reversed yet.')
  if (params.entryId === undefined && postings.length > 1 && finding?.class !== 'duplicate_ledger') {
    const ids = postings.map(({ entryId }) => entryId).join(', ')
    throw new AppError('unprocessable', `A person must choose the posting: send entryId, one of ${ids}.`)
  }
  return chosen
}

function ledgerPlan(
  { sources, operation }: Gathered,
  object: { id: string; sourceId: string | null; currency: string },
  amountMinor: bigint,
  correction: Omit<LedgerCorrection, 'actionId'>,
): Plan {
  const ledger = ledgerFor(sources.ledgers, operation)
  const unfit = whyNotBookable(ledger.source, correction.kind)
  if (unfit !== null) throw new AppError('unprocessable', unfit)
  return {
    sourceId: ledger.id,
    provider: object.sourceId ?? sources.providers[0]?.id ?? ledger.id,
    charge: correction.kind === 'reverse' ? object.id : (correction.chargeRef ?? object.id),
    amount: { minor: amountMinor, currency: object.currency },
    step: { kind: 'ledger', correction },
  }
}

function ledgerFor(ledgers: Gathered['sources']['ledgers'], operation: Operation) {
  const known = operation.postings[0]?.sourceId
  const able = ledgers.filter(({ source }) => source.canCorrect)
  const chosen = able.find(({ id }) => id === known) ?? (able.length === 1 ? able[0] : undefined)
  if (chosen === undefined) {
    throw new AppError('unprocessable', 'No ledger of this system, or not just one, takes corrections.')
  }
  return chosen
}
