import { z } from 'zod'
import { parseAmount } from './amounts'
import type { Draft, Outcome } from './context'
import { invalid, missing } from './failures'
import type { FormNode } from './form'
import type { Charge, PaymentIntent, Refund } from './objects'
import { expand, flag, mergeMetadata, metadata, parseParams, text } from './params'
import { findIntent, unexpectedState } from './payment-intents'

const captureParams = z.strictObject({
  amount_to_capture: z.string().optional(),
  final_capture: flag.default(true),
  metadata,
  expand,
})

/** Takes all or part of what is authorised. The rest is released, unless this is not the last capture. */
export function capturePaymentIntent(draft: Draft, form: FormNode, id: string): Outcome {
  const params = parseParams(captureParams, form)
  const intent = findIntent(draft, id)
  const charge = chargeOf(draft, intent)
  if (intent.status !== 'requires_capture' || charge === undefined) throw unexpectedState(intent, 'capture')
  const amount =
    params.amount_to_capture === undefined
      ? intent.amountCapturable
      : parseAmount(params.amount_to_capture, intent.currency, 'amount_to_capture')
  if (amount > intent.amountCapturable) {
    throw invalid(
      'The capture amount is greater than the amount capturable.',
      'amount_to_capture',
      'amount_too_large',
    )
  }
  const amountCaptured = charge.amountCaptured + amount
  const last = params.final_capture || amount === intent.amountCapturable
  const captured = { ...charge, amountCaptured, captured: true, takenS: draft.createdS }
  const rest = last ? intent.amountCapturable - amount : 0
  const kept = release(draft, captured, rest, { reportingCategory: 'partial_capture_reversal' })
  const changed: PaymentIntent = {
    ...intent,
    status: last ? 'succeeded' : 'requires_capture',
    amountCapturable: last ? 0 : intent.amountCapturable - amount,
    amountReceived: amountCaptured,
    metadata: mergeMetadata(intent.metadata, params.metadata),
  }
  draft.save(kept)
  draft.save(changed)
  draft.event('charge.captured', kept)
  draft.event(last ? 'payment_intent.succeeded' : 'payment_intent.amount_capturable_updated', changed)
  return { status: 200, object: changed }
}

const cancelParams = z.strictObject({ expand, cancellation_reason: text.optional() })

export function cancelPaymentIntent(draft: Draft, form: FormNode, id: string): Outcome {
  const { cancellation_reason: reason } = parseParams(cancelParams, form)
  const intent = findIntent(draft, id)
  if (intent.status === 'succeeded' || intent.status === 'canceled') throw unexpectedState(intent, 'cancel')
  return { status: 200, object: cancel(draft, intent, reason) }
}

/** Nobody captured it in time. */
export function expireAuthorisation(draft: Draft, id: string): void {
  const intent = findIntent(draft, id)
  if (intent.status !== 'requires_capture') throw unexpectedState(intent, 'expire')
  cancel(draft, intent, isOlder(draft) ? 'automatic' : 'expired', { reason: 'expired_uncaptured_charge' })
  const charge = chargeOf(draft, intent)
  if (charge !== undefined) draft.event('charge.expired', charge)
}

/** A charge that was captured in the background has its balance transaction now. */
export function settleCharge(draft: Draft, id: string): void {
  const charge = draft.provider.state.charges.get(id)
  if (charge?.unsettled !== true) throw missing('charge', id)
  const settled: Charge = { ...charge, unsettled: false, takenS: draft.createdS }
  draft.save(settled)
  draft.event('charge.updated', settled)
}

function cancel(
  draft: Draft,
  intent: PaymentIntent,
  cancellationReason: string | undefined,
  as: Partial<Refund> = {},
): PaymentIntent {
  const charge = chargeOf(draft, intent)
  if (charge !== undefined && intent.status === 'requires_capture') {
    draft.save(release(draft, charge, intent.amountCapturable, { reportingCategory: null, ...as }))
  }
  const canceled: PaymentIntent = {
    ...intent,
    status: 'canceled',
    amountCapturable: 0,
    ...(cancellationReason === undefined ? {} : { cancellationReason }),
  }
  draft.save(canceled)
  draft.event('payment_intent.canceled', canceled)
  return canceled
}

/**
 * Gives up part of an authorisation. Since 2025-03-31 that leaves no trace but the intent's; a request in an older
 * version makes a refund of it, which moves no money. https://docs.stripe.com/changelog/basil/2025-03-31
 */
function release(draft: Draft, charge: Charge, amount: number, as: Partial<Refund>): Charge {
  if (amount === 0 || !isOlder(draft)) return charge
  const refund: Refund = {
    object: 'refund',
    id: draft.newId('re'),
    createdS: draft.createdS,
    amount,
    currency: charge.currency,
    status: 'succeeded',
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    reason: null,
    failureReason: null,
    metadata: {},
    ...as,
  }
  const released: Charge = { ...charge, amountRefunded: charge.amountRefunded + amount, released: amount }
  draft.save(refund)
  draft.event('charge.refunded', released)
  return released
}

const isOlder = (draft: Draft): boolean => draft.apiVersion < '2025-03-31'

const chargeOf = (draft: Draft, { latestCharge }: PaymentIntent): Charge | undefined =>
  latestCharge === null ? undefined : draft.provider.state.charges.get(latestCharge)
