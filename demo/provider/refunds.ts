import { z } from 'zod'
import { parseAmount } from './amounts'
import type { Draft, Outcome } from './context'
import { invalid, missing } from './failures'
import type { FormNode } from './form'
import type { Charge, Refund } from './objects'
import { expand, mergeMetadata, metadata, parseParams, text } from './params'

const createParams = z.strictObject({
  amount: z.string().optional(),
  charge: text.optional(),
  payment_intent: text.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata,
  expand,
})

/** Refunds succeed at once, and never exceed what was captured less what is already refunded. */
export function createRefund(draft: Draft, form: FormNode): Outcome {
  const params = parseParams(createParams, form)
  const charge = findCharge(draft, params.charge, params.payment_intent)
  if (charge.status !== 'succeeded' || !charge.captured) {
    throw invalid(`Charge ${charge.id} has not been captured, so it cannot be refunded.`, 'charge')
  }
  if (draft.provider.switches.refusesChargedBack && isChargedBack(draft, charge)) {
    const text = `Charge ${charge.id} has been charged back; cannot issue a refund.`
    throw invalid(text, 'charge', 'charge_disputed')
  }
  const left = charge.amountCaptured + (charge.released ?? 0) - charge.amountRefunded
  if (left === 0) {
    throw invalid(`Charge ${charge.id} has already been refunded.`, 'charge', 'charge_already_refunded')
  }
  const amount = params.amount === undefined ? left : parseAmount(params.amount, charge.currency)
  if (amount > left) {
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, 'amount')
  }
  const refund: Refund = {
    object: 'refund',
    id: draft.newId('re'),
    createdS: draft.createdS,
    amount,
    currency: charge.currency,
    status: 'succeeded',
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    reason: params.reason ?? null,
    failureReason: null,
    metadata: mergeMetadata({}, params.metadata),
  }
  const refunded: Charge = { ...charge, amountRefunded: charge.amountRefunded + amount }
  draft.save(refund)
  draft.save(refunded)
  draft.event('refund.created', refund)
  draft.event('charge.refunded', refunded)
  return { status: 200, object: refund }
}

/** What happens when a bank sends a refund back: the money is the merchant's again. */
export function failRefund(draft: Draft, id: string): Outcome {
  const refund = draft.provider.state.refunds.get(id)
  if (refund === undefined) throw missing('refund', id)
  const charge = draft.provider.state.charges.get(refund.charge)
  if (refund.status === 'failed' || charge === undefined) throw invalid(`Refund ${id} has already failed.`)
  const failed: Refund = {
    ...refund,
    status: 'failed',
    failureReason: 'lost_or_stolen_card',
    failedS: draft.createdS,
  }
  draft.save(failed)
  draft.save({ ...charge, amountRefunded: charge.amountRefunded - refund.amount })
  draft.event('refund.updated', failed)
  draft.event('refund.failed', failed)
  return { status: 200, object: failed }
}

function isChargedBack(draft: Draft, { id }: Charge): boolean {
  const { disputes } = draft.provider.state
  for (let place = 0; place < disputes.size; place++) {
    const dispute = disputes.at(place)
    if (dispute?.charge === id && (dispute.status === 'needs_response' || dispute.status === 'lost'))
      return true
  }
  return false
}

function findCharge(draft: Draft, chargeId: string | undefined, intentId: string | undefined): Charge {
  const { charges, paymentIntents } = draft.provider.state
  const id = chargeId ?? (intentId === undefined ? undefined : paymentIntents.get(intentId)?.latestCharge)
  if (chargeId === undefined && intentId === undefined)
    throw invalid('One of charge, payment_intent is required.')
  const charge = id === undefined || id === null ? undefined : charges.get(id)
  if (charge === undefined) {
    throw chargeId === undefined
      ? missing('payment_intent', intentId ?? '', 'payment_intent')
      : missing('charge', chargeId, 'charge')
  }
  return charge
}
