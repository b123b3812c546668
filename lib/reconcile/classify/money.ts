import { type Claim, claimsOn, isLiveRefund, refundPostings, wasTold } from './claims'
import { money } from './evidence'
import type { ClassifyContext } from './finding'
import type { Charge, Dispute, Operation, Refund } from './operation'
import type { Unit } from './units'

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

/** Money that the bank withholds or has taken. One that was won, or moved nothing, is `canceled`. */
export const isLiveDispute = ({ status }: Dispute): boolean => status === 'pending' || status === 'succeeded'

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
  const claims = claimsOn({ operation, units, ctx }, charge, refunds)
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

/** Why a live refund is there; null = nothing that was read says so. */
function explanationOf(operation: Operation, claims: readonly Claim[], refund: Refund): Explanation | null {
  const [posting] = refundPostings(operation, refund.id)
  if (posting !== undefined) return { by: 'posting', id: posting.entryId }
  if (refund.actionId !== null) return { by: 'correction', id: refund.actionId }
  const claim = claims.find(({ answers }) => answers.includes(refund))
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
      ...(refund.failedAt === null ? {} : { failedAt: refund.failedAt.toISOString() }),
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
      answeredBy: claim.answers[0]?.id ?? null,
      ...(claim.answers.length > 1 ? { answeredInParts: claim.answers.map(({ id }) => id) } : {}),
    })),
    disputes: disputes.map((dispute) => ({
      id: dispute.id,
      status: dispute.status,
      amount: money(dispute.amountMinor, dispute.currency),
    })),
  }
}
