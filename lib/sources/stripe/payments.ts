import type Stripe from 'stripe'
import { z } from 'zod'
import type { ProviderPayment, ProviderStatus } from '../contracts'
import { fromStripeAmount } from './amounts'
import type { StripeConfig } from './config'
import { created, id, metadata, tagsOf } from './objects'

const paymentIntentSchema = z.object({
  id: z.string(),
  amount: z.int(),
  created,
  currency: z.string(),
  customer: id.nullish(),
  livemode: z.boolean(),
  metadata,
  status: z.string(),
})

const sessionSchema = z.object({
  id: z.string(),
  amount_total: z.int().nullish(),
  created,
  /** Null in a session that only saves a card. */
  currency: z.string().nullish(),
  customer: id.nullish(),
  livemode: z.boolean(),
  metadata,
  payment_status: z.string(),
  status: z.string().nullish(),
})

const invoiceSchema = z.object({
  id: z.string(),
  amount_due: z.int(),
  created,
  currency: z.string(),
  customer: id.nullish(),
  livemode: z.boolean(),
  metadata,
  status: z.string().nullish(),
})

/** https://docs.stripe.com/payments/paymentintents/lifecycle. A declined one may be tried again until it is canceled. */
const INTENT_STATUS: Record<string, ProviderStatus> = {
  requires_payment_method: 'pending',
  requires_confirmation: 'pending',
  requires_action: 'pending',
  processing: 'pending',
  requires_capture: 'pending',
  succeeded: 'succeeded',
  canceled: 'canceled',
}

const INVOICE_STATUS: Record<string, ProviderStatus> = {
  draft: 'pending',
  open: 'pending',
  paid: 'succeeded',
  uncollectible: 'failed',
  void: 'canceled',
}

export function intentPayment(config: StripeConfig, raw: Stripe.PaymentIntent): ProviderPayment {
  const intent = paymentIntentSchema.parse(raw)
  return toPayment(config, {
    ...intent,
    memberIds: [],
    status: INTENT_STATUS[intent.status] ?? 'other',
    rawStatus: intent.status,
  })
}

export function sessionPayment(
  config: StripeConfig,
  raw: Stripe.Checkout.Session,
  memberIds: string[],
): ProviderPayment {
  const session = sessionSchema.parse(raw)
  const paid = session.payment_status === 'paid' || session.payment_status === 'no_payment_required'
  return toPayment(config, {
    ...session,
    amount: session.amount_total ?? null,
    currency: session.currency ?? null,
    memberIds,
    status: paid ? 'succeeded' : session.status === 'expired' ? 'canceled' : 'pending',
    rawStatus: `${session.status ?? 'unknown'}, ${session.payment_status}`,
  })
}

export function invoicePayment(
  config: StripeConfig,
  raw: Stripe.Invoice,
  memberIds: string[],
): ProviderPayment {
  const invoice = invoiceSchema.parse(raw)
  const rawStatus = invoice.status ?? 'unknown'
  return toPayment(config, {
    ...invoice,
    amount: invoice.amount_due,
    memberIds,
    status: INVOICE_STATUS[rawStatus] ?? 'other',
    rawStatus,
  })
}

function toPayment(
  config: StripeConfig,
  read: Pick<ProviderPayment, 'id' | 'memberIds' | 'status' | 'rawStatus'> & {
    amount: number | null
    created: Date
    currency: string | null
    customer?: string | null | undefined
    livemode: boolean
    metadata: Record<string, string>
  },
): ProviderPayment {
  return {
    kind: 'payment',
    id: read.id,
    memberIds: read.memberIds,
    status: read.status,
    rawStatus: read.rawStatus,
    amount:
      read.amount === null || read.currency === null ? null : fromStripeAmount(read.amount, read.currency),
    customer: read.customer ?? null,
    createdAt: read.created,
    live: read.livemode,
    ...tagsOf(config, read.metadata),
  }
}
