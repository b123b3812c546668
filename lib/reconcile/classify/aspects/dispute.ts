import { money, postingFacts } from '../evidence'
import type { ClassifyContext, Draft } from '../finding'
import type { Dispute, Operation } from '../operation'
import { latest, referenceOf } from '../units'

/** Money that a bank took back, and that the books still have. One that was won, or moved nothing, needs no booking. */
export function disputes(operation: Operation, ctx: ClassifyContext): Draft[] {
  if (ctx.sides.ledger === 'none') return []
  return operation.disputes
    .filter(({ status }) => status === 'pending' || status === 'succeeded')
    .filter((dispute) => !isBooked(operation, dispute))
    .map((dispute) => {
      const charge = operation.charges.find(({ id }) => id === dispute.chargeId)
      return {
        aspect: 'dispute' as const,
        objectId: dispute.id,
        class: 'dispute_unbooked' as const,
        since: latest(dispute.createdAt, dispute.takenAt),
        lookUps: [{ kind: 'ledger' as const, ref: dispute.id }],
        waiting: ctx.sides.ledger === 'incomplete',
        subject: {
          scope: charge?.scope ?? null,
          key: charge?.key ?? null,
          effectIds: [dispute.id],
          reference: charge?.reference ?? referenceOf(operation, null),
        },
        amount: { minor: dispute.amountMinor, currency: dispute.currency },
        evidence: {
          sides: {
            intent: [],
            provider: [disputeFacts(dispute)],
            ledger: operation.postings.filter(({ kind }) => kind === 'dispute').map(postingFacts),
          },
        },
      }
    })
}

const isBooked = (operation: Operation, { id }: Dispute): boolean =>
  operation.postings.some(
    ({ kind, reversed, providerRef }) => kind === 'dispute' && !reversed && providerRef === id,
  )

const disputeFacts = (dispute: Dispute) => ({
  source: dispute.sourceId,
  kind: 'dispute',
  id: dispute.id,
  charge: dispute.chargeId,
  status: dispute.status,
  amount: money(dispute.amountMinor, dispute.currency),
  createdAt: dispute.createdAt.toISOString(),
})
