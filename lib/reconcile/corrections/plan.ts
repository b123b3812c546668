import { z } from 'zod'
import type { CaseClass } from '@/lib/core/case-classes'
import { AppError } from '@/lib/core/errors'
import type { Money } from '@/lib/core/money'
import type { LedgerCorrection } from '@/lib/sources/contracts'
import type { Charge, Operation, Posting, Refund } from '../operation'
import type { Gathered } from './gather'

/** What moves money or books, and therefore needs a second person. */
export const FOUR_EYES_KINDS = ['refund', 'book_ledger', 'book_refund', 'reverse_ledger', 'adopt'] as const
export type FourEyesKind = (typeof FOUR_EYES_KINDS)[number]

export const paramsSchema = z.strictObject({
  /** Of a refund: which charge, where the evidence does not decide. */
  charge: z.string().optional(),
  /** Of a refund: less than what is left of it. */
  amountMinor: z
    .string()
    .regex(/^\d{1,18}$/)
    .transform(BigInt)
    .optional(),
  /** Of a reversal: which posting. */
  entryId: z.string().optional(),
})
export type CorrectionParams = z.infer<typeof paramsSchema>

export type Plan = {
  /** The source that is changed. */
  sourceId: string
  /** The charge that it is about: one correction of it is in flight at a time. */
  provider: string
  charge: string
  amount: Money
  step:
    | { kind: 'refund'; chargeId: string; amountMinor: bigint }
    | { kind: 'ledger'; correction: Omit<LedgerCorrection, 'actionId'> }
}

/** Exactly what a correction would do, from evidence just read. Throws when it cannot be done, and says why. */
export function planCorrection(kind: FourEyesKind, gathered: Gathered, params: CorrectionParams): Plan {
  if (gathered.finding === null)
    throw new AppError('conflict', 'It is not found any more: there is nothing to correct.')
  switch (kind) {
    case 'refund':
      return planRefund(gathered, params)
    case 'book_ledger':
    case 'adopt':
      return planBooking(gathered, chargeOf(gathered, params), 'book_charge')
    case 'book_refund':
      return planBooking(gathered, refundOf(gathered), 'book_refund')
    case 'reverse_ledger':
      return planReversal(gathered, params)
    default:
      return kind satisfies never
  }
}

const refundable = z.object({ refund: z.array(z.string()).nullable() }).partial()
/** Each of these keeps one of its effects: which one goes must be decided. */
const DUPLICATES: readonly CaseClass[] = ['expired_key_retry', 'duplicate_same_key', 'duplicate_semantic']

function chargeOf({ finding, operation }: Gathered, params: CorrectionParams): Charge {
  const decided = refundable.parse(finding?.evidence ?? {}).refund ?? null
  const effectIds = finding?.subject.effectIds ?? []
  const isDuplicate = finding !== null && DUPLICATES.includes(finding.class)
  const id = params.charge ?? (isDuplicate ? only(decided) : only(effectIds))
  if (id === null) {
    throw new AppError(
      'unprocessable',
      `A person must choose the charge: send charge, one of ${effectIds.join(', ')}.`,
    )
  }
  const charge = operation.charges.find((each) => each.id === id)
  if (charge === undefined || !effectIds.includes(id)) {
    throw new AppError('unprocessable', `${id} is none of the case's charges: ${effectIds.join(', ')}.`)
  }
  if (charge.status !== 'succeeded')
    throw new AppError('unprocessable', `${id} is ${charge.status} at the provider.`)
  return charge
}

const only = (ids: readonly string[] | null): string | null => (ids?.length === 1 ? (ids[0] ?? null) : null)

/** A refund that failed, or was booked and never sent, is sent again for what it was meant to give back. */
function refundAgain({ finding, operation }: Gathered): { charge: Charge; amountMinor: bigint } {
  const id = only(finding?.subject.effectIds ?? [])
  const failed = operation.refunds.find((each) => each.id === id)
  const booked = operation.postings.find(
    ({ kind, reversed, providerRef, entryId }) =>
      kind === 'refund' &&
      !reversed &&
      (id === null ? finding?.objectId === `e:${entryId}` : providerRef === id),
  )
  const chargeId = failed?.chargeId ?? booked?.chargeRef ?? null
  const charge = operation.charges.find((each) => each.id === chargeId && each.status === 'succeeded')
  if (charge === undefined) {
    throw new AppError('unprocessable', 'The charge of this refund is not known at the provider.')
  }
  return { charge, amountMinor: booked?.amountMinor ?? failed?.amountMinor ?? 0n }
}

/** Never more than was captured and is not given back yet. */
function planRefund(gathered: Gathered, params: CorrectionParams): Plan {
  const again = gathered.finding?.aspect === 'refund' ? refundAgain(gathered) : null
  const charge = again?.charge ?? chargeOf(gathered, params)
  const open = gathered.sources.providers.find(({ id }) => id === charge.sourceId)
  if (open === undefined || !open.source.canRefund) {
    throw new AppError('unprocessable', 'No write key of this provider is configured.')
  }
  const leftMinor = charge.capturedMinor - charge.refundedMinor
  const amountMinor = params.amountMinor ?? again?.amountMinor ?? leftMinor
  if (amountMinor <= 0n || amountMinor > leftMinor) {
    throw new AppError('unprocessable', `Of ${charge.id}, ${leftMinor} minor units are left to refund.`, {
      meta: { leftMinor: leftMinor.toString() },
    })
  }
  return {
    sourceId: open.id,
    provider: open.id,
    charge: charge.id,
    amount: { minor: amountMinor, currency: charge.currency },
    step: { kind: 'refund', chargeId: charge.id, amountMinor },
  }
}

function refundOf({ finding, operation }: Gathered): Refund {
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

function planBooking(gathered: Gathered, object: Charge | Refund, kind: 'book_charge' | 'book_refund'): Plan {
  const isCharge = 'captured' in object
  const amountMinor = isCharge ? object.capturedMinor : object.amountMinor
  if (amountMinor <= 0n)
    throw new AppError('unprocessable', `Nothing of ${object.id} was captured: there is nothing to book.`)
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

function planReversal(gathered: Gathered, params: CorrectionParams): Plan {
  const posting = postingOf(gathered, params)
  if (posting.providerRef === null) {
    throw new AppError(
      'unprocessable',
      'The posting names no provider object: it cannot be reversed from here.',
    )
  }
  const object = { id: posting.chargeRef ?? posting.providerRef, sourceId: null, currency: posting.currency }
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

/** The one posting that is meant: named, or the only one, or of a double booking the later one. */
function postingOf({ finding, operation }: Gathered, params: CorrectionParams): Posting {
  const effectIds = finding?.subject.effectIds ?? []
  const postings = operation.postings.filter(
    ({ reversed, providerRef }) => !reversed && providerRef !== null && effectIds.includes(providerRef),
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
  return {
    sourceId: ledger.id,
    provider: object.sourceId ?? sources.providers[0]?.id ?? ledger.id,
    charge: correction.chargeRef ?? object.id,
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
