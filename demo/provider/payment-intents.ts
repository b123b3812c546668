import { z } from 'zod'
import { parseAmount, parseCurrency } from './amounts'
import type { Draft, Outcome } from './context'
import { invalid, missing, StripeFailure } from './failures'
import type { FormNode } from './form'
import type { Charge, Failure, PaymentIntent } from './objects'
import { expand, flag, mergeMetadata, metadata, parseParams, text } from './params'
import { render } from './render'

const createParams = z.strictObject({
  amount: z.string(),
  currency: text,
  confirm: flag.default(false),
  capture_method: z.enum(['automatic', 'automatic_async', 'manual']).default('automatic'),
  customer: text.optional(),
  description: text.optional(),
  payment_method: text.optional(),
  payment_method_types: z.record(z.string(), z.string()).optional(),
  automatic_payment_methods: z.record(z.string(), z.string()).optional(),
  off_session: flag.optional(),
  metadata,
  expand,
})

export function createPaymentIntent(draft: Draft, form: FormNode): Outcome {
  const params = parseParams(createParams, form)
  const currency = parseCurrency(params.currency)
  const amount = parseAmount(params.amount, currency)
  if (params.confirm && params.payment_method === undefined) {
    throw invalid(
      'You cannot confirm this PaymentIntent because it is missing a payment method.',
      'payment_method',
    )
  }
  const intent = newIntent(draft, {
    amount,
    currency,
    captureMethod: params.capture_method,
    customer: params.customer ?? null,
    description: params.description ?? null,
    paymentMethod: params.payment_method ?? null,
    metadata: mergeMetadata({}, params.metadata),
  })
  if (params.confirm) return confirm(draft, intent)
  draft.save(intent)
  return { status: 200, object: intent }
}

/** An intent that nobody has tried to pay yet; its maker saves it. */
export function newIntent(
  draft: Draft,
  asked: Pick<PaymentIntent, 'amount' | 'currency' | 'customer' | 'metadata'> &
    Partial<Pick<PaymentIntent, 'captureMethod' | 'description' | 'paymentMethod'>>,
): PaymentIntent {
  const { captureMethod = 'automatic', description = null, paymentMethod = null, ...rest } = asked
  const intent: PaymentIntent = {
    object: 'payment_intent',
    id: draft.newId('pi'),
    createdS: draft.createdS,
    ...rest,
    amountCapturable: 0,
    amountReceived: 0,
    captureMethod,
    status: paymentMethod === null ? 'requires_payment_method' : 'requires_confirmation',
    description,
    paymentMethod,
    latestCharge: null,
    failure: null,
  }
  draft.event('payment_intent.created', intent)
  return intent
}

const updateParams = z.strictObject({ description: text.optional(), metadata, expand })

/** Changes the intent alone: a charge keeps the metadata that it was made with. */
export function updatePaymentIntent(draft: Draft, form: FormNode, id: string): Outcome {
  const params = parseParams(updateParams, form)
  const intent = findIntent(draft, id)
  const updated = {
    ...intent,
    description: params.description ?? intent.description,
    metadata: mergeMetadata(intent.metadata, params.metadata),
  }
  draft.save(updated)
  return { status: 200, object: updated }
}

const confirmParams = z.strictObject({ payment_method: text.optional(), expand })

export function confirmPaymentIntent(draft: Draft, form: FormNode, id: string): Outcome {
  const params = parseParams(confirmParams, form)
  const found = findIntent(draft, id)
  const intent = { ...found, paymentMethod: params.payment_method ?? found.paymentMethod }
  if (intent.paymentMethod === null) throw invalid('A payment method is required.', 'payment_method')
  if (!['requires_payment_method', 'requires_confirmation'].includes(intent.status))
    throw unexpectedState(intent, 'confirm')
  return confirm(draft, intent)
}

/** Charges the payment method; a declined card leaves a failed charge and a 402. */
export function confirm(draft: Draft, intent: PaymentIntent): Outcome {
  const failure = declineOf(intent.paymentMethod)
  const manual = intent.captureMethod === 'manual'
  const captured = failure === null && !manual
  const charge: Charge = {
    object: 'charge',
    id: draft.newId('ch'),
    createdS: draft.createdS,
    amount: intent.amount,
    amountCaptured: captured ? intent.amount : 0,
    amountRefunded: 0,
    captured,
    ...(captured && intent.captureMethod === 'automatic_async' ? { unsettled: true } : {}),
    currency: intent.currency,
    status: failure === null ? 'succeeded' : 'failed',
    customer: intent.customer,
    description: intent.description,
    paymentIntent: intent.id,
    paymentMethod: intent.paymentMethod ?? 'pm_card_visa',
    failure,
    metadata: intent.metadata,
  }
  draft.save(charge)
  if (failure !== null) {
    const failed: PaymentIntent = {
      ...intent,
      status: 'requires_payment_method',
      latestCharge: charge.id,
      failure,
    }
    draft.save(failed)
    draft.event('charge.failed', charge)
    draft.event('payment_intent.payment_failed', failed)
    return declined(failed, charge, failure)
  }
  const confirmed: PaymentIntent = {
    ...intent,
    status: manual ? 'requires_capture' : 'succeeded',
    amountCapturable: manual ? intent.amount : 0,
    amountReceived: charge.amountCaptured,
    latestCharge: charge.id,
    failure: null,
  }
  draft.save(confirmed)
  draft.event('charge.succeeded', charge)
  draft.event(manual ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', confirmed)
  return { status: 200, object: confirmed }
}

export function findIntent(draft: Draft, id: string): PaymentIntent {
  const intent = draft.provider.state.paymentIntents.get(id)
  if (intent === undefined) throw missing('payment_intent', id, 'intent')
  return intent
}

export function unexpectedState(intent: PaymentIntent, verb: string): StripeFailure {
  return new StripeFailure(
    400,
    'invalid_request_error',
    `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`,
    { code: 'payment_intent_unexpected_state', payment_intent: render(intent) },
  )
}

/** Stripe's test payment methods. */
function declineOf(paymentMethod: string | null): Failure | null {
  if (paymentMethod?.startsWith('pm_card_chargeDeclined') !== true) return null
  return { code: 'card_declined', message: 'Your card was declined.' }
}

function declined(intent: PaymentIntent, charge: Charge, failure: Failure): Outcome {
  const failed = new StripeFailure(402, 'card_error', failure.message, {
    code: failure.code,
    decline_code: 'generic_decline',
    charge: charge.id,
    payment_intent: render(intent),
  })
  return { status: 402, body: failed.body }
}
