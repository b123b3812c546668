import type { ClassifyContext } from './finding'
import type { Charge, Operation, Posting, Refund } from './operation'
import { currentLife, toldSuccess, type Unit } from './units'

/** Money that record or books say went back, and that the named refund did not move: it failed, or was never sent. */
export type Claim = {
  /** The failed refund's id; of a posting without a refund its provider reference, or `e:` and its entry id. */
  id: string
  kind: 'failed' | 'unsent'
  amountMinor: bigint
  /** What books it, reversed postings left out. */
  postings: readonly Posting[]
  /** What went out in its place: one refund, or several that come to its amount. Empty = nothing did. */
  answers: readonly Refund[]
  /** Both the claim and an answer are counted: books or records say once too often that it went back. */
  doubled: boolean
  /** The answers were made when the claim's refund had failed already: they cannot have been meant beside it. */
  sentAfter: boolean
  /** Refunds of other amounts that may be a part of it, or be on their own: only a person can tell. */
  doubtful: readonly Refund[]
}

export const isLiveRefund = ({ status }: Pick<Refund, 'status'>): boolean =>
  status === 'succeeded' || status === 'pending'
export const isFailedRefund = ({ status }: Refund): boolean => status === 'failed' || status === 'canceled'

export const refundPostings = (operation: Operation, refundId: string): Posting[] =>
  operation.postings.filter(
    ({ kind, reversed, providerRef }) => kind === 'refund' && !reversed && providerRef === refundId,
  )

export const wasTold = (units: readonly Unit[], refund: Refund): boolean => {
  const unit = units.find((each) => each.refunds.includes(refund))
  return unit !== undefined && toldSuccess(currentLife(unit))
}

/** What claims are looked at with. */
type Scene = { operation: Operation; units: readonly Unit[]; ctx: Pick<ClassifyContext, 'sides'> }

/** Every claim on a charge, with what answers it. */
export function claimsOn(scene: Scene, charge: Charge, refunds: readonly Refund[]): Claim[] {
  return answered(scene, refunds, [...failedClaims(scene, refunds), ...unsentClaims(scene.operation, charge)])
}

const UNANSWERED = { answers: [], doubled: false, sentAfter: false, doubtful: [] } as const

/** A refund that failed though a record, a posting or a correction says that it went back. */
function failedClaims({ operation, units }: Scene, refunds: readonly Refund[]): Claim[] {
  return refunds.filter(isFailedRefund).flatMap((refund) => {
    const postings = refundPostings(operation, refund.id)
    // Nobody was told that it happened, and it did not.
    if (postings.length === 0 && !wasTold(units, refund) && refund.actionId === null) return []
    return [{ ...UNANSWERED, id: refund.id, kind: 'failed', amountMinor: refund.amountMinor, postings }]
  })
}

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
 * later refund that failed too may be the answer: of one sent again and again only the last attempt is still owed. What
 * one refund does not answer, several may that come to its amount.
 */
function answered(scene: Scene, refunds: readonly Refund[], claims: readonly Claim[]): Claim[] {
  const refundOf = ({ id }: Claim) => refunds.find((refund) => refund.id === id)
  const begunMs = (claim: Claim): number =>
    claim.kind === 'failed'
      ? (refundOf(claim)?.createdAt.getTime() ?? 0)
      : // A provider's second is rounded down.
        Math.floor((claim.postings[0]?.bookedAt.getTime() ?? 0) / 1000) * 1000
  const latestFirst = claims.toSorted((a, b) => begunMs(b) - begunMs(a) || (a.id < b.id ? 1 : -1))
  const taken = new Set<string>()
  const answers = new Map<Claim, Refund[]>()
  /** What may be the answer to a claim and is no other's. Failed ones only where they are later claims. */
  const free = (claim: Claim, place: number): Refund[] => {
    const later = new Set(latestFirst.slice(0, place).map(({ id }) => id))
    const failed = claim.kind === 'failed' ? refundOf(claim) : undefined
    return refunds.filter(
      (refund) =>
        // A failed one that nobody relies on ends no chain: what it was sent for is owed as before.
        (isLiveRefund(refund) || later.has(refund.id)) &&
        !taken.has(refund.id) &&
        !(failed !== undefined && isMeantBeside(scene, refund, failed)),
    )
  }
  for (const find of [oneAnswer, answerInParts]) {
    for (const [place, claim] of latestFirst.entries()) {
      if (answers.has(claim)) continue
      const found = find(scene, free(claim, place), claim, claims, begunMs(claim))
      if (found === null) continue
      answers.set(claim, found)
      for (const { id } of found) taken.add(id)
    }
  }
  return latestFirst.map((claim, place) => {
    const own = answers.get(claim) ?? []
    const failedAt = refundOf(claim)?.failedAt ?? null
    const isLater = ({ createdAt }: Refund) => createdAt.getTime() >= begunMs(claim)
    return {
      ...claim,
      answers: own,
      doubled:
        isCountedClaim(scene, claim, refundOf(claim)) && own.some((refund) => isCounted(scene, refund)),
      sentAfter: failedAt !== null && own.every(({ createdAt }) => createdAt >= failedAt),
      doubtful:
        own.length > 0
          ? []
          : free(claim, place).filter(
              (refund) => isLiveRefund(refund) && refund.actionId === null && isLater(refund),
            ),
    }
  })
}

/**
 * Made while the other one had not failed yet, for a request of its own whose caller was told of it: two refunds were
 * meant, and one of them is missing. Where it is not known when the other one failed, only a person can tell.
 */
function isMeantBeside({ units }: Scene, refund: Refund, failed: Refund): boolean {
  if (failed.failedAt === null || refund.createdAt >= failed.failedAt) return false
  const isOwn = refund.key !== null && (refund.scope !== failed.scope || refund.key !== failed.key)
  return isOwn && wasTold(units, refund)
}

/** The books say that it went back or, where there are none, a record does. */
const isCounted = ({ operation, units, ctx }: Scene, refund: Refund): boolean =>
  refundPostings(operation, refund.id).length > 0 || (ctx.sides.ledger === 'none' && wasTold(units, refund))

const isCountedClaim = ({ units, ctx }: Scene, { postings }: Claim, failed: Refund | undefined): boolean =>
  postings.length > 0 || (ctx.sides.ledger === 'none' && failed !== undefined && wasTold(units, failed))

type FindAnswer = (
  scene: Scene,
  refunds: readonly Refund[],
  claim: Claim,
  claims: readonly Claim[],
  sinceMs: number,
) => Refund[] | null

/** Ours first, then what nothing else explains, then one with a posting of its own: a retry that was booked anew. */
const oneAnswer: FindAnswer = ({ operation }, refunds, claim, claims, sinceMs) => {
  const candidates = refunds.filter((refund) => fits(refund, claim, claims))
  const ours = candidates.filter(
    ({ actionId, createdAt }) => actionId !== null && createdAt.getTime() >= sinceMs,
  )
  const [answer] = [...ours, ...byService(operation, candidates, claim, sinceMs)]
  return answer === undefined ? null : [answer]
}

const answerInParts: FindAnswer = ({ operation }, refunds, claim, _, sinceMs) =>
  sumTo(claim.amountMinor, byService(operation, refunds, claim, sinceMs).slice(0, PARTS_MAX))

/** What the service, or support, may have sent in its place: unbooked ones first. */
function byService(
  operation: Operation,
  refunds: readonly Refund[],
  claim: Claim,
  sinceMs: number,
): Refund[] {
  const isLater = ({ createdAt }: Refund) => createdAt.getTime() >= sinceMs
  const isBooked = ({ id }: Refund) => refundPostings(operation, id).length > 0
  const others = refunds.filter(({ actionId }) => actionId === null)
  return [
    ...others.filter(
      (refund) => !isBooked(refund) && (claim.kind === 'failed' ? isLater(refund) : isLiveRefund(refund)),
    ),
    ...others.filter(
      (refund) => isBooked(refund) && isLater(refund) && (claim.kind === 'failed' || isLiveRefund(refund)),
    ),
  ]
}

/** A larger correction gave this back too, unless it was sent for another claim, of exactly its amount. */
function fits({ amountMinor, actionId }: Refund, claim: Claim, claims: readonly Claim[]): boolean {
  if (amountMinor === claim.amountMinor) return true
  if (actionId === null || amountMinor < claim.amountMinor) return false
  return !claims.some((each) => each.amountMinor === amountMinor)
}

/** As many are tried in all their sums; who sends a refund in more parts is looked at by a person. */
const PARTS_MAX = 12

/** Refunds that come to exactly this amount, the first ones that do; null = none do. */
function sumTo(amountMinor: bigint, refunds: readonly Refund[]): Refund[] | null {
  if (amountMinor === 0n) return []
  for (const [place, refund] of refunds.entries()) {
    if (refund.amountMinor <= 0n || refund.amountMinor > amountMinor) continue
    const rest = sumTo(amountMinor - refund.amountMinor, refunds.slice(place + 1))
    if (rest !== null) return [refund, ...rest]
  }
  return null
}
