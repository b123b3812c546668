import type { Draft, Outcome } from './context'
import { invalid, missing } from './failures'
import type { Charge, Dispute } from './objects'

/** A charge that succeeded fails later, as bank debits do. */
export function failCharge(draft: Draft, id: string): Outcome {
  const { charges, paymentIntents } = draft.provider.state
  const charge = charges.get(id)
  if (charge === undefined) throw missing('charge', id)
  if (charge.status === 'failed') throw invalid(`Charge ${id} has already failed.`)
  const failure = { code: 'payment_method_failed', message: 'The bank returned the payment.' }
  const failed: Charge = { ...charge, status: 'failed', captured: false, amountCaptured: 0, failure }
  draft.save(failed)
  draft.event('charge.failed', failed)
  const intent = paymentIntents.get(charge.paymentIntent)
  if (intent !== undefined) {
    const reopened = { ...intent, status: 'requires_payment_method' as const, amountReceived: 0, failure }
    draft.save(reopened)
    draft.event('payment_intent.payment_failed', reopened)
  }
  return { status: 200, object: failed }
}

/**
 * The customer's bank takes the money back until the dispute is decided; as an inquiry it only asks. One charge may have
 * several, each of a part.
 */
export function disputeCharge(
  draft: Draft,
  id: string,
  as: { amount?: number; inquiry?: boolean } = {},
): Outcome {
  const charge = draft.provider.state.charges.get(id)
  if (charge === undefined) throw missing('charge', id)
  const dispute: Dispute = {
    object: 'dispute',
    id: draft.newId('du'),
    createdS: draft.createdS,
    amount: as.amount ?? charge.amountCaptured,
    currency: charge.currency,
    status: as.inquiry === true ? 'warning_needs_response' : 'needs_response',
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    ...(as.inquiry === true ? {} : { takenS: draft.createdS }),
    metadata: {},
  }
  draft.save(dispute)
  draft.event('charge.dispute.created', dispute)
  if (as.inquiry !== true) draft.event('charge.dispute.funds_withdrawn', dispute)
  return { status: 200, object: dispute }
}

/** An inquiry becomes a dispute, of all that was captured. */
export function escalateInquiry(draft: Draft, chargeId: string): void {
  const { charges, disputes } = draft.provider.state
  const charge = charges.get(chargeId)
  for (let place = disputes.size - 1; place >= 0; place--) {
    const dispute = disputes.at(place)
    if (charge === undefined || dispute?.charge !== chargeId || dispute.status !== 'warning_needs_response')
      continue
    const grown: Dispute = {
      ...dispute,
      status: 'needs_response',
      amount: charge.amountCaptured,
      takenS: draft.createdS,
    }
    draft.save(grown)
    draft.event('charge.dispute.updated', grown)
    draft.event('charge.dispute.funds_withdrawn', grown)
    return
  }
  throw missing('dispute', chargeId)
}

/** The bank decides the open dispute of a charge. */
export function decideDispute(draft: Draft, chargeId: string, status: 'won' | 'lost'): Outcome {
  const { disputes } = draft.provider.state
  for (let place = disputes.size - 1; place >= 0; place--) {
    const dispute = disputes.at(place)
    if (dispute?.charge !== chargeId || dispute.status !== 'needs_response') continue
    const decided: Dispute = { ...dispute, status }
    draft.save(decided)
    draft.event('charge.dispute.closed', decided)
    return { status: 200, object: decided }
  }
  throw missing('dispute', chargeId)
}
