import { z } from 'zod'
import { caseClass } from '@/lib/core/case-classes'
import { formatMoney } from '@/lib/core/money'
import { ACTION_KINDS, type ActionKind } from '@/lib/core/states'
import { type Claim, claimIdOf, isLiveRefund, refundPostings } from './claims'
import type { Draft } from './finding'
import { isLiveDispute, type MoneyPicture, moneyFacts } from './money'
import type { Operation, Posting, Refund } from './operation'

const notOfferedSchema = z.object({
  notOffered: z.array(z.object({ kind: z.enum(ACTION_KINDS), reason: z.string() })).default([]),
})
/** A correction that the class knows, and that would do harm here: why, for the person who looks for it. */
export type NotOffered = z.infer<typeof notOfferedSchema>['notOffered'][number]

/** What the evidence of a case says must not be offered. */
export const notOfferedIn = (evidence: unknown): NotOffered[] =>
  notOfferedSchema.safeParse(evidence).data?.notOffered ?? []

export const whyNotOffered = (evidence: unknown, kind: ActionKind): NotOffered | undefined =>
  notOfferedIn(evidence).find((each) => each.kind === kind)

/** The draft with the whole money of its charges as evidence, and with what may therefore not be offered. */
export function withMoney(draft: Draft, operation: Operation, pictures: readonly MoneyPicture[]): Draft {
  const { aspect } = draft
  const movesMoney = caseClass(draft.class).fixes.includes('refund')
  if (!movesMoney && aspect !== 'refund') return draft
  const own = picturesOf(draft, operation, pictures)
  const notOffered = whyNot(draft, operation, own)
  return {
    ...draft,
    evidence: {
      ...draft.evidence,
      money: own.map((picture) => moneyFacts(operation, picture)),
      ...(notOffered.length === 0 ? {} : { notOffered }),
    },
  }
}

/** The charges that it is about: named, or what a named refund or posting belongs to. */
function picturesOf(
  { objectId, subject }: Draft,
  operation: Operation,
  pictures: readonly MoneyPicture[],
): MoneyPicture[] {
  const ids = new Set([objectId, ...subject.effectIds])
  return pictures.filter(
    ({ charge, refunds, claims }) =>
      ids.has(charge.id) ||
      refunds.some(({ id }) => ids.has(id)) ||
      claims.some(({ id }) => ids.has(id)) ||
      operation.postings.some((posting) => ids.has(claimIdOf(posting)) && isOfCharge(posting, charge)),
  )
}

const isOfCharge = ({ kind, chargeRef }: Posting, { names }: { names: readonly string[] }): boolean =>
  kind === 'refund' && chargeRef !== null && names.includes(chargeRef)

function whyNot(draft: Draft, operation: Operation, pictures: readonly MoneyPicture[]): NotOffered[] {
  const refund = caseClass(draft.class).fixes.includes('refund')
    ? whyNoRefund(draft, operation, pictures)
    : null
  const booking = draft.class === 'refund_unbooked' ? whyNoBooking(draft, pictures) : null
  return [
    ...(refund === null ? [] : [{ kind: 'refund' as const, reason: refund }]),
    ...(booking === null ? [] : [{ kind: 'book_refund' as const, reason: booking }]),
  ]
}

function whyNoRefund(draft: Draft, operation: Operation, pictures: readonly MoneyPicture[]): string | null {
  if (draft.aspect === 'uniqueness' && draft.subject.effectIds.every((id) => isRefund(operation, id)))
    return 'The refund itself was made twice. It cannot be taken back here: agree it with the customer.'
  if (pictures.length === 0) return 'The charge of this refund is not known at the provider.'
  // Where a person has to choose, what they choose is looked at once they did.
  const meant = meantBy(draft, pictures)
  const disputed = meant.length > 0 && meant.every((picture) => disputeText(picture) !== null)
  const [first] = meant
  if (disputed && first !== undefined) return disputeText(first)
  if (draft.aspect === 'refund' && first !== undefined) return whyNotAgain(draft, operation, first)
  const kept = whyKeptForbids(pictures.filter((picture) => !meant.includes(picture)))
  if (kept !== null) return kept
  const texts = meant.map((picture) => unsettledText(operation, picture))
  return texts.includes(null) ? null : (texts[0] ?? null)
}

/** What went back, or is claimed, of an effect that is kept: it may be the money of the one that is to be refunded. */
export const whyKeptForbids = (kept: readonly MoneyPicture[]): string | null =>
  kept.flatMap((picture) => keptDisputeText(picture) ?? unexplainedText(picture) ?? []).at(0) ?? null

/** A customer who was charged twice disputes either of the two. */
function keptDisputeText({ charge, disputes }: MoneyPicture): string | null {
  const live = disputes.find(isLiveDispute)
  if (live === undefined) return null
  return `The customer's bank claims ${formatMoney({ minor: live.amountMinor, currency: live.currency })} of ${charge.id}, the other one (dispute ${live.id}): that may be this money. A refund would give it back twice.`
}

const isRefund = ({ refunds }: Operation, effectId: string): boolean =>
  refunds.some(({ id }) => id === effectId)

/** The charges that a refund may be of: the one that the evidence decides on, else all of them. */
function meantBy({ evidence }: Draft, pictures: readonly MoneyPicture[]): readonly MoneyPicture[] {
  const decided = evidence.refund
  if (!Array.isArray(decided)) return pictures
  return pictures.filter(({ charge }) => decided.includes(charge.id))
}

/** Two claims on the same money would pay it twice. null = no bank claims it. */
export function disputeText({ charge, disputes }: MoneyPicture): string | null {
  const live = disputes.find(isLiveDispute)
  if (live === undefined) return null
  const claimed = live.status === 'pending' ? 'withholds' : 'has taken back'
  return `The customer's bank ${claimed} ${formatMoney({ minor: live.amountMinor, currency: live.currency })} of ${charge.id} (dispute ${live.id}). A refund would give it back twice.`
}

const amountOf = ({ amountMinor, currency }: Refund): string => formatMoney({ minor: amountMinor, currency })

/** Support may have given it back at the provider's dashboard: then that is the answer, and the rest is not ours to send. */
export const unsettledText = (operation: Operation, picture: MoneyPicture, own?: Claim): string | null =>
  unexplainedText(picture) ?? bookedElsewhereText(operation, picture, own)

function unexplainedText({ charge, unexplained }: MoneyPicture): string | null {
  const [refund] = unexplained
  if (refund === undefined) return null
  return `${refund.id} gave back ${amountOf(refund)} of ${charge.id}, and no posting explains it. Settle that first: it may be this money.`
}

/**
 * What is booked under another id may have been sent in place of this one, whichever of the two the books mean. Once it is
 * booked under its own, its time and its amount say.
 */
function bookedElsewhereText(
  operation: Operation,
  { claims }: MoneyPicture,
  own: Claim | undefined,
): string | null {
  for (const claim of claims) {
    if (claim.id === own?.id || claim.postings.length === 0) continue
    const refund = claim.answers.find(
      (each) =>
        isLiveRefund(each) && each.actionId === null && refundPostings(operation, each.id).length === 0,
    )
    if (refund !== undefined)
      return `${refund.id} gave back ${amountOf(refund)}, and posting ${entriesText(claim)} books it under ${claim.id}. Put that right first: it may be this money.`
  }
  return null
}

/** A refund that failed or was never sent is sent again only where nothing else may have gone out in its place. */
function whyNotAgain(draft: Draft, operation: Operation, picture: MoneyPicture): string | null {
  const claim = picture.claims.find(({ id }) => id === draft.objectId)
  if (claim?.doubled) return doubledText(claim)
  const unsure = claim?.kind === 'unsent' ? unsureText(claim, picture) : null
  if (unsure !== null) return unsure
  const unsettled = unsettledText(operation, picture, claim)
  if (unsettled !== null) return unsettled
  if (claim !== undefined && claim.doubtful.length > 0) return doubtfulText(claim)
  if (picture.charge.status !== 'succeeded')
    return `${picture.charge.id} is ${picture.charge.status} at the provider.`
  const { leftMinor, charge } = picture
  if (claim === undefined || claim.amountMinor <= leftMinor) return null
  return `Only ${formatMoney({ minor: leftMinor, currency: charge.currency })} of ${charge.id} is left to refund.`
}

/** The postings alone say what was meant: where they leave it open, a wrong amount would leave. */
function unsureText(claim: Claim, { charge }: MoneyPicture): string | null {
  const foreign = claim.postings.find(({ currency }) => currency !== charge.currency)
  if (foreign !== undefined)
    return `Posting ${foreign.entryId} is in ${foreign.currency}, and ${charge.id} in ${charge.currency}. Reverse it and book it in the currency of the charge first.`
  const amounts = new Set(claim.postings.map(({ amountMinor }) => amountMinor))
  if (amounts.size === claim.postings.length) return null
  return `Postings ${entriesText(claim)} book this refund with the same amount, so it was probably booked twice. Reverse what is too much first.`
}

const entriesText = ({ postings }: Claim): string => postings.map(({ entryId }) => entryId).join(', ')

const refundsText = (refunds: readonly Refund[]): string =>
  refunds.map((refund) => `${refund.id} (${amountOf(refund)})`).join(' and ')

const reversalText = (claim: Claim, otherwise: string): string =>
  claim.postings.length === 0 ? otherwise : `reverse posting ${entriesText(claim)}`

/** What was made before it failed, or nobody knows when, may have been meant beside it: no refund is sure. */
function doubledText(claim: Claim): string {
  const { answers, kind, sentAfter } = claim
  const gave =
    answers.length === 1
      ? `${refundsText(answers)} gave back the same, on its own account`
      : `${refundsText(answers)} together gave back the same, on their own account`
  const undo = reversalText(claim, 'ignore this case')
  return kind === 'unsent' || sentAfter
    ? `${gave} and later, so this refund was probably sent again. If it was, ${undo}.`
    : `${gave}. Whether that was sent in place of this refund or meant beside it, only a person can tell. In its place: ${undo}. Beside it: send this one at the provider.`
}

function doubtfulText(claim: Claim): string {
  const [after, part] =
    claim.kind === 'unsent'
      ? ['this refund was booked', 'a part of it']
      : ['this refund', 'a part of it that was sent again']
  return `${refundsText(claim.doubtful)} went out after ${after}. Whether they are ${part}, only a person can tell. If they are, send the rest at the provider and ${reversalText(claim, 'ignore this case')}. If they are not, send this one at the provider.`
}

/** The claim whose posting books this refund under another id. */
export const bookedAs = (refundId: string, pictures: readonly MoneyPicture[]): Claim | null =>
  pictures
    .flatMap(({ claims }) => claims)
    .find(({ answers, postings }) => postings.length > 0 && answers.some(({ id }) => id === refundId)) ?? null

function whyNoBooking({ objectId }: Draft, pictures: readonly MoneyPicture[]): string | null {
  const claim = bookedAs(objectId, pictures)
  if (claim === null) return null
  return `Posting ${entriesText(claim)} already books this refund, under ${claim.id}. Reverse that posting first, then book it under ${objectId}.`
}
