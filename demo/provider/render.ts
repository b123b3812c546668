import { apiVersion } from './api-version'
import type {
  Charge,
  CheckoutSession,
  Dispute,
  Invoice,
  Mail,
  PaymentIntent,
  ProviderEvent,
  Refund,
  Resource,
  Stored,
} from './objects'

type Json = Record<string, unknown>

/** The object as Stripe's API shows it. */
export function render(stored: Stored): Json {
  return stored.object === 'event' ? renderEvent(stored) : renderResource(stored)
}

function renderResource(resource: Resource): Json {
  switch (resource.object) {
    case 'payment_intent':
      return renderPaymentIntent(resource)
    case 'charge':
      return renderCharge(resource)
    case 'refund':
      return renderRefund(resource)
    case 'dispute':
      return renderDispute(resource)
    case 'checkout.session':
      return renderSession(resource)
    case 'invoice':
      return renderInvoice(resource)
    case 'mail':
      return renderMail(resource)
  }
}

const renderMail = ({ createdS, ...mail }: Mail): Json => ({ ...mail, created: createdS, livemode: false })

function renderPaymentIntent(intent: PaymentIntent): Json {
  return {
    id: intent.id,
    object: 'payment_intent',
    amount: intent.amount,
    amount_capturable: intent.amountCapturable,
    amount_details: { tip: {} },
    amount_received: intent.amountReceived,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: intent.cancellationReason ?? null,
    capture_method: intent.captureMethod,
    client_secret: `${intent.id}_secret_demo`,
    confirmation_method: 'automatic',
    created: intent.createdS,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    last_payment_error:
      intent.failure === null
        ? null
        : { type: 'card_error', code: intent.failure.code, message: intent.failure.message },
    latest_charge: intent.latestCharge,
    livemode: false,
    metadata: intent.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: intent.paymentMethod,
    payment_method_types: ['card'],
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    statement_descriptor: null,
    status: intent.status,
    transfer_data: null,
    transfer_group: null,
  }
}

function renderCharge(charge: Charge): Json {
  const succeeded = charge.status === 'succeeded'
  return {
    id: charge.id,
    object: 'charge',
    amount: charge.amount,
    amount_captured: charge.amountCaptured,
    amount_refunded: charge.amountRefunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: charge.amountCaptured > 0 && charge.unsettled !== true ? txnId(charge.id) : null,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    captured: charge.captured,
    created: charge.createdS,
    currency: charge.currency,
    customer: charge.customer,
    description: charge.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: charge.failure?.code ?? null,
    failure_message: charge.failure?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: charge.metadata,
    on_behalf_of: null,
    outcome: {
      network_status: succeeded ? 'approved_by_network' : 'declined_by_network',
      type: succeeded ? 'authorized' : 'issuer_declined',
    },
    paid: succeeded,
    payment_intent: charge.paymentIntent,
    payment_method: charge.paymentMethod,
    payment_method_details: { type: 'card', card: { brand: 'visa', last4: '4242' } },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded:
      charge.amountRefunded > 0 && charge.amountRefunded === charge.amountCaptured + (charge.released ?? 0),
    review: null,
    shipping: null,
    source_transfer: null,
    statement_descriptor: null,
    status: charge.status,
    transfer_data: null,
    transfer_group: null,
  }
}

const txnId = (id: string, prefix = 'txn_'): string => `${prefix}${id.slice(3)}`

/** What a charge or a refund did to the balance. Of a charge 2.9 % and 30 of the smallest unit are kept. */
export function renderBalanceTransaction(of: Stored): Json | null {
  if (of.object === 'charge') {
    const fee = Math.round(of.amountCaptured * 0.029) + 30
    return balanceTransaction(of, of.amountCaptured, fee, 'charge', 'charge', of.takenS)
  }
  if (of.object !== 'refund' || of.reportingCategory === null) return null
  return balanceTransaction(of, -of.amount, 0, 'refund', of.reportingCategory ?? 'refund')
}

/** What brought the money of a refund back when it failed. */
export function renderFailureTransaction(of: Stored): Json | null {
  if (of.object !== 'refund' || of.failedS === undefined) return null
  const returned = balanceTransaction(of, of.amount, 0, 'refund_failure', 'refund_failure', of.failedS)
  return { ...returned, id: txnId(of.id, 'txn_f') }
}

const balanceTransaction = (
  of: Charge | Refund | Dispute,
  amount: number,
  fee: number,
  type: string,
  category: string,
  createdS = of.createdS,
): Json => ({
  id: txnId(of.id),
  object: 'balance_transaction',
  amount,
  available_on: createdS,
  created: createdS,
  currency: of.currency,
  description: null,
  exchange_rate: null,
  fee,
  fee_details:
    fee === 0 ? [] : [{ amount: fee, application: null, currency: of.currency, type: 'stripe_fee' }],
  net: amount - fee,
  reporting_category: category,
  source: of.id,
  status: 'available',
  type,
})

function renderDispute(dispute: Dispute): Json {
  return {
    id: dispute.id,
    object: 'dispute',
    amount: dispute.amount,
    balance_transactions:
      dispute.takenS === undefined
        ? []
        : [balanceTransaction(dispute, -dispute.amount, 0, 'adjustment', 'dispute', dispute.takenS)],
    charge: dispute.charge,
    created: dispute.createdS,
    currency: dispute.currency,
    evidence_details: { due_by: null, has_evidence: false, past_due: false, submission_count: 0 },
    is_charge_refundable: false,
    livemode: false,
    metadata: dispute.metadata,
    payment_intent: dispute.paymentIntent,
    reason: 'fraudulent',
    status: dispute.status,
  }
}

function renderRefund(refund: Refund): Json {
  return {
    id: refund.id,
    object: 'refund',
    amount: refund.amount,
    balance_transaction: refund.reportingCategory === null ? null : txnId(refund.id),
    charge: refund.charge,
    created: refund.createdS,
    currency: refund.currency,
    destination_details: { card: { type: 'refund' }, type: 'card' },
    ...(refund.failureReason === null ? {} : { failure_reason: refund.failureReason }),
    ...(refund.failedS === undefined ? {} : { failure_balance_transaction: txnId(refund.id, 'txn_f') }),
    metadata: refund.metadata,
    payment_intent: refund.paymentIntent,
    reason: refund.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: refund.status,
    transfer_reversal: null,
  }
}

function renderSession(session: CheckoutSession): Json {
  return {
    id: session.id,
    object: 'checkout.session',
    amount_subtotal: session.amount,
    amount_total: session.amount,
    client_reference_id: null,
    created: session.createdS,
    currency: session.currency,
    customer: session.customer,
    expires_at: session.createdS + 24 * 3600,
    invoice: null,
    livemode: false,
    metadata: session.metadata,
    mode: 'payment',
    payment_intent: session.paymentIntent,
    payment_link: null,
    payment_method_types: ['card'],
    payment_status: session.status === 'complete' ? 'paid' : 'unpaid',
    status: session.status,
    subscription: null,
    url: session.status === 'open' ? `https://checkout.example/${session.id}` : null,
  }
}

function renderInvoice(invoice: Invoice): Json {
  const paid = invoice.status === 'paid'
  return {
    id: invoice.id,
    object: 'invoice',
    amount_due: invoice.amount,
    amount_paid: paid ? invoice.amount : 0,
    amount_remaining: paid ? 0 : invoice.amount,
    billing_reason: 'manual',
    collection_method: 'charge_automatically',
    created: invoice.createdS,
    currency: invoice.currency,
    customer: invoice.customer,
    livemode: false,
    metadata: invoice.metadata,
    number: null,
    status: invoice.status,
    total: invoice.amount,
  }
}

/** Since 2025-03-31 an invoice names what paid it in a list of its own. */
export const renderInvoicePayment = (invoice: Invoice): Json => ({
  id: `inpay_${invoice.id.slice(3)}`,
  object: 'invoice_payment',
  amount_paid: invoice.status === 'paid' ? invoice.amount : null,
  amount_requested: invoice.amount,
  created: invoice.createdS,
  currency: invoice.currency,
  invoice: invoice.id,
  is_default: true,
  livemode: false,
  payment: { type: 'payment_intent', payment_intent: invoice.paymentIntent },
  status: invoice.status,
  status_transitions: { canceled_at: null, paid_at: invoice.status === 'paid' ? invoice.createdS : null },
})

/** Before 2015-02-18 a charge that succeeded had the status `paid`; before 2020 nothing told how much was captured. */
function inVersion(object: Json, version: string): Json {
  if (object.object !== 'charge' || version >= '2015-02-18') return object
  const { amount_captured: _, payment_intent: __, ...older } = object
  return { ...older, status: object.status === 'succeeded' ? 'paid' : object.status }
}

function renderEvent(event: ProviderEvent): Json {
  return {
    id: event.id,
    object: 'event',
    api_version: event.apiVersion ?? apiVersion,
    created: event.createdS,
    data: { object: inVersion(renderResource(event.resource), event.apiVersion ?? apiVersion) },
    livemode: false,
    pending_webhooks: 0,
    request: { id: null, idempotency_key: null },
    type: event.type,
  }
}
