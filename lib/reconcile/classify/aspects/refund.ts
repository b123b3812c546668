import { byClaim, type Claim, isFailedRefund, isLiveRefund, refundPostings, unsentPostings } from '../claims'
import { chargeFacts, postingFacts, refundFacts, sidesOf } from '../evidence'
import type { ClassifyContext, Draft } from '../finding'
import type { MoneyPicture } from '../money'
import { bookedAs } from '../not-offered'
import type { Operation, Posting, Refund } from '../operation'
import { currentLife, latest, namedBy, referenceOf, type Unit } from '../units'
import { isPostingOf } from './existence-effect'

type RefundContext = {
  duplicates: ReadonlySet<string>
  stuck: ReadonlySet<Unit>
  pictures: readonly MoneyPicture[]
  ctx: ClassifyContext
}

/** Each refund on its own. `stuck` units are left out: completing the key is what their refund waits for. */
export function refunds(operation: Operation, units: readonly Unit[], context: RefundContext): Draft[] {
  const { duplicates, stuck, pictures, ctx } = context
  const drafts: (Draft | null)[] = overRefunds(operation)
  const over = new Set(drafts.map((draft) => draft?.objectId))
  for (const refund of operation.refunds) {
    if (duplicates.has(refund.id) || over.has(refund.id)) continue
    const unit = units.find((each) => each.refunds.includes(refund))
    if (unit !== undefined && stuck.has(unit)) continue
    drafts.push(
      isFailedRefund(refund)
        ? ofFailed(operation, refund, unit, pictures)
        : ofRefund(operation, refund, unit, pictures, ctx),
    )
  }
  return [...drafts.filter((draft) => draft !== null), ...unsent(operation, pictures, ctx)]
}

const claimOf = (pictures: readonly MoneyPicture[], id: string): Claim | undefined =>
  pictures.flatMap(({ claims }) => claims).find((claim) => claim.id === id)

/** Something else went out in its place, and the books do not say it twice: nothing is left to do. */
const isSettled = (claim: Claim): boolean => claim.answers.length > 0 && !claim.doubled

/** More given back than taken: told of the refund that went over. */
function overRefunds(operation: Operation): Draft[] {
  return operation.charges.flatMap((charge) => {
    const live = operation.refunds.filter((refund) => refund.chargeId === charge.id && isLiveRefund(refund))
    const sum = live.reduce((total, { amountMinor }) => total + amountMinor, 0n)
    const last = live.at(-1)
    if (last === undefined || charge.status !== 'succeeded' || sum <= charge.capturedMinor) return []
    return [
      {
        ...draftOf(operation, last, 'over_refund', null, live),
        amount: { minor: sum - charge.capturedMinor, currency: charge.currency },
        evidence: {
          sides: { intent: [], provider: [chargeFacts(charge), ...live.map(refundFacts)], ledger: [] },
        },
      },
    ]
  })
}

function ofFailed(
  operation: Operation,
  refund: Refund,
  unit: Unit | undefined,
  pictures: readonly MoneyPicture[],
): Draft | null {
  const claim = claimOf(pictures, refund.id)
  if (claim === undefined || isSettled(claim)) return null
  return draftOf(operation, refund, 'refund_failed', null, [refund], unit)
}

function ofRefund(
  operation: Operation,
  refund: Refund,
  unit: Unit | undefined,
  pictures: readonly MoneyPicture[],
  ctx: ClassifyContext,
): Draft | null {
  const postings = refundPostings(operation, refund.id)
  const unbooked = refund.status === 'succeeded' && postings.length === 0 && ctx.sides.ledger !== 'none'
  // Our own corrections give back a duplicate: no booking of the service's is missing.
  if (!unbooked || refund.actionId !== null) return null
  // Of a charge that is not booked itself, nothing has to be taken back in the books.
  const charge = operation.charges.find(({ id }) => id === refund.chargeId)
  const other = bookedAs(refund.id, pictures)
  const booked = charge === undefined || operation.postings.some((posting) => isPostingOf(posting, charge))
  if (!booked && other === null) return null
  const since = latest(refund.createdAt, unit === undefined ? undefined : currentLife(unit)?.completedAt)
  const draft = draftOf(operation, refund, 'refund_unbooked', since, [refund], unit)
  return {
    ...draft,
    lookUps: [{ kind: 'ledger', ref: refund.id }],
    waiting: ctx.sides.ledger === 'incomplete',
    evidence: other === null ? draft.evidence : bookedUnderAnotherId(draft.evidence, other),
  }
}

/** The postings that book it all the same, as its ledger side. */
const bookedUnderAnotherId = (evidence: Draft['evidence'], { id, postings }: Claim): Draft['evidence'] => ({
  ...evidence,
  bookedUnder: id,
  sides: { ...(evidence.sides as object), ledger: postings.map(postingFacts) },
})

/** Booked as given back, but the provider never heard of it. */
function unsent(operation: Operation, pictures: readonly MoneyPicture[], ctx: ClassifyContext): Draft[] {
  const claims = pictures.flatMap((picture) => picture.claims)
  const isOpen = (posting: Posting): boolean => {
    const claim = claims.find(({ postings }) => postings.includes(posting))
    return claim === undefined || !isSettled(claim)
  }
  return byClaim(unsentPostings(operation)).flatMap(([objectId, postings]) => {
    const [posting] = postings
    if (posting === undefined || !postings.some(isOpen)) return []
    const life = operation.lives.find(
      (each) => posting.providerRef !== null && namedBy(each).includes(posting.providerRef),
    )
    return [
      {
        aspect: 'refund' as const,
        objectId,
        class: 'refund_unsent' as const,
        since: latest(...postings.map(({ bookedAt }) => bookedAt)),
        // Booked, and then sent: that call may still be under way.
        absentSince: latest(...postings.map(({ bookedAt }) => bookedAt)),
        lookUps: posting.providerRef === null ? [] : [{ kind: 'refund' as const, id: posting.providerRef }],
        waiting: ctx.sides.provider !== 'complete',
        subject: subjectOf(operation, posting, life),
        amount: {
          minor: postings.reduce((total, { amountMinor }) => total + amountMinor, 0n),
          currency: posting.currency,
        },
        evidence: { sides: { intent: [], provider: [], ledger: postings.map(postingFacts) } },
      },
    ]
  })
}

const subjectOf = (
  operation: Operation,
  posting: Posting,
  life: { scope: string; key: string } | undefined,
) => ({
  scope: life?.scope ?? null,
  key: life?.key ?? null,
  effectIds: posting.providerRef === null ? [] : [posting.providerRef],
  reference: posting.reference ?? referenceOf(operation, null),
})

function draftOf(
  operation: Operation,
  refund: Refund,
  name: Draft['class'],
  since: Date | null,
  all: readonly Refund[],
  unit?: Unit,
): Draft {
  return {
    aspect: 'refund',
    objectId: refund.id,
    class: name,
    since,
    subject: {
      scope: unit?.scope ?? refund.scope,
      key: unit?.key ?? refund.key,
      effectIds: all.map(({ id }) => id),
      reference: refund.reference ?? referenceOf(operation, unit ?? null),
    },
    amount: { minor: refund.amountMinor, currency: refund.currency },
    evidence: {
      sides: sidesOf(operation, { lives: unit?.lives ?? [], charges: [], refunds: [refund] }),
    },
  }
}
