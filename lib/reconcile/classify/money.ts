import { money } from './evidence'
import type { ClassifyContext } from './finding'
import type { Charge, Dispute, Operation, Posting, Refund } from './operation'
import { currentLife, toldSuccess, type Unit } from './units'

/** Money that record or books say went back, and that the named refund did not move: it failed, or was never sent. */
export type Claim = {
  /** The failed refund's id; of a posting without a refund its provider reference, or `e:` and its entry id. */
  id: string
  kind: 'failed' | 'unsent'
  amountMinor: bigint
  /** What books it, reversed postings left out. */
  postings: readonly Posting[]
  /** The refund that went out in its place. null = none did. */
  answer: Refund | null
  /** Both the claim and its answer are booked: the books say once too often that it went back. */
  doubled: boolean
}

/** The whole money of one charge: what was taken, what went back, what the customer's bank claims. */
export type MoneyPicture = {
  charge: Charge
  refunds: readonly Refund[]
  disputes: readonly Dispute[]
  claims: readonly Claim[]
  /** Live refunds that no posting, record or correction explains, and that answer no claim. */
  unexplained: readonly Refund[]
  leftMinor: bigint
}

export type Explanation = { by: 'posting' | 'claim' | 'correction' | 'record'; id: string }

export const isLiveRefund = ({ status }: Refund): boolean => status === 'succeeded' || status === 'pending'
export const isFailedRefund = ({ status }: Refund): boolean => status === 'failed' || status === 'canceled'
/** Money that the bank withholds or has taken. One that was won, or moved nothing, is `canceled`. */
export const isLiveDispute = ({ status }: Dispute): boolean => status === 'pending' || status === 'succeeded'

export const refundPostings = (operation: Operation, refundId: string): Posting[] =>
  operation.postings.filter(
    ({ kind, reversed, providerRef }) => kind === 'refund' && !reversed && providerRef === refundId,
  )

/** One picture for each charge of the operation. */
export function moneyOf(
  operation: Operation,
  units: readonly Unit[],
  ctx: Pick<ClassifyContext, 'sides'>,
): MoneyPicture[] {
  return operation.charges
    .filter(({ status }) => status !== 'absent')
    .map((charge) => pictureOf(operation, units, charge, ctx))
}

function pictureOf(
  operation: Operation,
  units: readonly Unit[],
  charge: Charge,
  ctx: Pick<ClassifyContext, 'sides'>,
): MoneyPicture {
  const refunds = operation.refunds.filter(
    ({ chargeId, status }) => chargeId === charge.id && status !== 'absent',
  )
  const claims = answered(operation, refunds, [
    ...failedClaims(operation, units, refunds),
    ...unsentClaims(operation, charge),
  ])
  const live = refunds.filter(isLiveRefund)
  const backMinor = live.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  const leftMinors = [charge.capturedMinor - backMinor, charge.capturedMinor - charge.refundedMinor]
  return {
    charge,
    refunds,
    disputes: operation.disputes.filter(({ chargeId }) => chargeId === charge.id),
    claims,
    unexplained: live.filter(
      (refund) =>
        explanationOf(operation, claims, refund) === null &&
        !(ctx.sides.ledger === 'none' && wasTold(units, refund)),
    ),
    leftMinor: leftMinors.toSorted((a, b) => (a < b ? -1 : 1))[0] ?? 0n,
  }
}

const wasTold = (units: readonly Unit[], refund: Refund): boolean => {
  const unit = units.find((each) => each.refunds.includes(refund))
  return unit !== undefined && toldSuccess(currentLife(unit))
}

/** A refund that failed though a record, a posting or a correction says that it went back. */
function failedClaims(operation: Operation, units: readonly Unit[], refunds: readonly Refund[]): Claim[] {
  return refunds.filter(isFailedRefund).flatMap((refund) => {
    const postings = refundPostings(operation, refund.id)
    // Nobody was told that it happened, and it did not.
    if (postings.length === 0 && !wasTold(units, refund) && refund.actionId === null) return []
    return [{ ...UNANSWERED, id: refund.id, kind: 'failed', amountMinor: refund.amountMinor, postings }]
  })
}

const UNANSWERED = { answer: null, doubled: false } as const

export const claimIdOf = ({ providerRef, entryId }: Posting): string => providerRef ?? `e:${entryId}`

/** One refund may be booked in several postings: together they are one claim. */
export function byClaim(postings: readonly Posting[]): [id: string, postings: Posting[]][] {
  const claims = new Map<string, Posting[]>()
  for (const posting of postings) {
    const id = claimIdOf(posting)
    claims.set(id, [...(claims.get(id) ?? []), posting])
  }
  return [...claims]
}

/** Postings of refunds that the provider has under no such id. */
export function unsentPostings(operation: Operation): Posting[] {
  const sent = new Set(operation.refunds.filter(({ status }) => status !== 'absent').map(({ id }) => id))
  return operation.postings.filter(
    ({ kind, reversed, providerRef }) =>
      kind === 'refund' && !reversed && (providerRef === null || !sent.has(providerRef)),
  )
}

function unsentClaims(operation: Operation, charge: Charge): Claim[] {
  // A ledger that does not say to which charge a refund belongs: of an operation with one charge it is that.
  const only = operation.charges.filter(({ status }) => status !== 'absent').length === 1
  const postings = unsentPostings(operation).filter(({ chargeRef }) =>
    chargeRef === null ? only : charge.names.includes(chargeRef),
  )
  return byClaim(postings).map(([id, own]) => ({
    ...UNANSWERED,
    id,
    kind: 'unsent' as const,
    amountMinor: own.reduce((total, { amountMinor }) => total + amountMinor, 0n),
    postings: own,
  }))
}

/**
 * Finds what went out in each claim's place; a refund answers one claim at most. The latest claim chooses first, and a
 * later refund that failed too may be the answer: of one sent again and again only the last attempt is still owed.
 */
function answered(operation: Operation, refunds: readonly Refund[], claims: readonly Claim[]): Claim[] {
  /** Claims that are later than the one at hand. */
  const later = new Set<string>()
  const taken = new Set<string>()
  const begunMs = ({ id, kind, postings }: Claim): number =>
    kind === 'failed'
      ? (refunds.find((refund) => refund.id === id)?.createdAt.getTime() ?? 0)
      : // A provider's second is rounded down.
        Math.floor((postings[0]?.bookedAt.getTime() ?? 0) / 1000) * 1000
  const latestFirst = claims.toSorted((a, b) => begunMs(b) - begunMs(a) || (a.id < b.id ? 1 : -1))
  return latestFirst.map((claim) => {
    // A failed one that nobody relies on ends no chain: what it was sent for is owed as before.
    const attempts = refunds.filter((refund) => isLiveRefund(refund) || later.has(refund.id))
    const free = attempts.filter(({ id }) => !taken.has(id))
    later.add(claim.id)
    const answer = answerOf(operation, free, claim, claims, begunMs(claim))
    if (answer === null) return claim
    taken.add(answer.id)
    const isBooked = refundPostings(operation, answer.id).length > 0
    return { ...claim, answer, doubled: isBooked && claim.postings.length > 0 }
  })
}

function answerOf(
  operation: Operation,
  refunds: readonly Refund[],
  claim: Claim,
  claims: readonly Claim[],
  sinceMs: number,
): Refund | null {
  const isLater = ({ createdAt }: Refund) => createdAt.getTime() >= sinceMs
  const candidates = refunds.filter((refund) => fits(refund, claim, claims))
  // Ours first, then what nothing else explains, then one with a posting of its own: a retry that was booked anew.
  const ours = candidates.filter((refund) => refund.actionId !== null && isLater(refund))
  const free = candidates.filter(
    (refund) =>
      refund.actionId === null &&
      refundPostings(operation, refund.id).length === 0 &&
      (claim.kind === 'failed' ? isLater(refund) : isLiveRefund(refund)),
  )
  const booked = candidates.filter(
    (refund) =>
      refund.actionId === null &&
      refundPostings(operation, refund.id).length > 0 &&
      isLater(refund) &&
      (claim.kind === 'failed' || isLiveRefund(refund)),
  )
  return [...ours, ...free, ...booked].at(0) ?? null
}

/** A larger correction gave this back too, unless it was sent for another claim, of exactly its amount. */
function fits({ amountMinor, actionId }: Refund, claim: Claim, claims: readonly Claim[]): boolean {
  if (amountMinor === claim.amountMinor) return true
  if (actionId === null || amountMinor < claim.amountMinor) return false
  return !claims.some((each) => each.amountMinor === amountMinor)
}

/** Why a live refund is there; null = nothing that was read says so. */
function explanationOf(operation: Operation, claims: readonly Claim[], refund: Refund): Explanation | null {
  const [posting] = refundPostings(operation, refund.id)
  if (posting !== undefined) return { by: 'posting', id: posting.entryId }
  if (refund.actionId !== null) return { by: 'correction', id: refund.actionId }
  const claim = claims.find(({ answer }) => answer?.id === refund.id)
  return claim === undefined ? null : { by: 'claim', id: claim.id }
}

/** The picture as evidence, in plain JSON. */
export function moneyFacts(operation: Operation, picture: MoneyPicture) {
  const { charge, refunds, disputes, claims, unexplained, leftMinor } = picture
  const amount = (minor: bigint) => money(minor, charge.currency)
  return {
    source: charge.sourceId,
    charge: charge.id,
    captured: amount(charge.capturedMinor),
    refunded: amount(charge.capturedMinor - leftMinor),
    left: amount(leftMinor),
    refunds: refunds.map((refund) => ({
      id: refund.id,
      status: refund.status,
      amount: money(refund.amountMinor, refund.currency),
      explainedBy: !isLiveRefund(refund)
        ? null
        : (explanationOf(operation, claims, refund) ??
          (unexplained.includes(refund) ? null : { by: 'record' as const, id: refund.key ?? refund.id })),
    })),
    owed: claims.map((claim) => ({
      id: claim.id,
      why: claim.kind,
      amount: amount(claim.amountMinor),
      entries: claim.postings.map(({ entryId }) => entryId),
      answeredBy: claim.answer?.id ?? null,
    })),
    disputes: disputes.map((dispute) => ({
      id: dispute.id,
      status: dispute.status,
      amount: money(dispute.amountMinor, dispute.currency),
    })),
  }
}
