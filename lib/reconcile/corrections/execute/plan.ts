import { z } from 'zod'
import type { CaseClass } from '@/lib/core/case-classes'
import { AppError } from '@/lib/core/errors'
import type { MoneyPicture } from '@/lib/reconcile/classify/money'
import {
  disputeText,
  unsettledText,
  whyKeptForbids,
  whyNotOffered,
} from '@/lib/reconcile/classify/not-offered'
import type { Charge } from '@/lib/reconcile/classify/operation'
import type { CorrectionParams, Plan } from './correction-plan'
import type { Gathered } from './gather'
import { disputeOf, only, planBooking, planFee, planReversal, refundOf } from './plan-ledger'

/** What moves money or books, and therefore needs a second person. */
export const FOUR_EYES_KINDS = [
  'refund',
  'book_ledger',
  'book_refund',
  'book_dispute',
  'book_fee',
  'reverse_ledger',
  'adopt',
] as const
export type FourEyesKind = (typeof FOUR_EYES_KINDS)[number]

/** Exactly what a correction would do, from evidence just read. Throws when it cannot be done, and says why. */
export function planCorrection(kind: FourEyesKind, gathered: Gathered, params: CorrectionParams): Plan {
  if (gathered.finding === null)
    throw new AppError('conflict', 'It is not found any more: there is nothing to correct.')
  const { reason } = whyNotOffered(gathered.finding.evidence, kind) ?? {}
  if (reason !== undefined) throw new AppError('unprocessable', reason, { meta: { reason: 'not_offered' } })
  switch (kind) {
    case 'refund':
      return planRefund(gathered, params)
    case 'book_ledger':
    case 'adopt':
      return planBooking(gathered, chargeOf(gathered, params), 'book_charge')
    case 'book_refund':
      return planBooking(gathered, refundOf(gathered), 'book_refund')
    case 'book_dispute':
      return planBooking(gathered, disputeOf(gathered), 'book_dispute')
    case 'book_fee':
      return planFee(gathered, chargeOf(gathered, params))
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

/** A refund that failed, or was booked and never sent, is sent again for what it was meant to give back: all of it. */
function refundAgain({ finding, pictures }: Gathered, params: CorrectionParams) {
  const [owed, ...others] = pictures.flatMap(({ charge, claims }) =>
    claims.filter(({ id }) => id === finding?.objectId).map((claim) => ({ charge, ...claim })),
  )
  const isKnown = owed?.kind === 'failed' || owed?.postings.every(({ chargeRef }) => chargeRef !== null)
  if (owed === undefined || !isKnown || others.length > 0 || owed.charge.status !== 'succeeded') {
    throw new AppError('unprocessable', 'The charge of this refund is not known at the provider.')
  }
  const { charge, amountMinor } = owed
  // Of one that was sent in part, nothing would show that the rest alone is owed.
  if (params.amountMinor !== undefined && params.amountMinor !== amountMinor) {
    throw new AppError(
      'unprocessable',
      `This refund is sent again whole: ${amountMinor} minor units of ${charge.id}. Leave amountMinor out.`,
    )
  }
  return { charge, amountMinor }
}

/** The case's other charges, but for those that the evidence calls duplicates too. */
function keptBeside(charge: Charge, { finding, pictures }: Gathered): MoneyPicture[] {
  const duplicates = refundable.parse(finding?.evidence ?? {}).refund ?? []
  const others = (finding?.subject.effectIds ?? []).filter(
    (id) => id !== charge.id && !duplicates.includes(id),
  )
  return pictures.filter((picture) => others.includes(picture.charge.id))
}

/** Never more than was captured and is not given back yet. */
function planRefund(gathered: Gathered, params: CorrectionParams): Plan {
  const again = gathered.finding?.aspect === 'refund' ? refundAgain(gathered, params) : null
  const charge = again?.charge ?? chargeOf(gathered, params)
  const open = gathered.sources.providers.find(({ id }) => id === charge.sourceId)
  if (open === undefined || !open.source.canRefund) {
    throw new AppError('unprocessable', 'No write key of this provider is configured.')
  }
  const picture = gathered.pictures.find((each) => each.charge === charge)
  if (picture === undefined) throw new AppError('unprocessable', `The money of ${charge.id} is not known.`)
  const disputed = disputeText(picture)
  if (disputed !== null) throw new AppError('unprocessable', disputed, { meta: { reason: 'disputed' } })
  const kept = again === null ? whyKeptForbids(keptBeside(charge, gathered)) : null
  if (kept !== null) throw new AppError('unprocessable', kept, { meta: { reason: 'kept_money' } })
  const unsettled = again === null ? unsettledText(gathered.operation, picture) : null
  if (unsettled !== null) throw new AppError('unprocessable', unsettled, { meta: { reason: 'unsettled' } })
  const { leftMinor } = picture
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
