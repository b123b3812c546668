import type Stripe from 'stripe'
import { z } from 'zod'
import type {
  ProviderCharge,
  ProviderDispute,
  ProviderRefund,
  ProviderStatus,
  ProviderTags,
} from '../contracts'
import { fromStripeAmount } from './amounts'
import type { StripeConfig } from './config'

export const id = z.union([z.string(), z.object({ id: z.string() }).transform((object) => object.id)])
export const metadata = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {})
export const created = z.int().transform((seconds) => new Date(seconds * 1000))

const chargeSchema = z.object({
  id: z.string(),
  object: z.literal('charge'),
  amount: z.int(),
  amount_captured: z.int(),
  amount_refunded: z.int(),
  /** An id where it was not expanded: in the snapshots of events. */
  balance_transaction: z
    .union([z.string(), z.object({ id: z.string(), fee: z.int(), currency: z.string() })])
    .nullish(),
  captured: z.boolean(),
  created,
  currency: z.string(),
  customer: id.nullish(),
  livemode: z.boolean(),
  metadata,
  /** An id where it was not expanded: in the snapshots of events. */
  payment_intent: z.union([z.string(), z.object({ id: z.string(), metadata })]).nullish(),
  status: z.string(),
})

const disputeSchema = z.object({
  id: z.string(),
  object: z.literal('dispute'),
  amount: z.int(),
  charge: id.nullish(),
  created,
  currency: z.string(),
  livemode: z.boolean(),
  metadata,
  payment_intent: id.nullish(),
  status: z.string(),
})

const refundSchema = z.object({
  id: z.string(),
  object: z.literal('refund'),
  amount: z.int(),
  charge: id.nullish(),
  created,
  currency: z.string(),
  metadata,
  payment_intent: id.nullish(),
  status: z.string().nullish(),
})

const CHARGE_STATUS: Record<string, ProviderStatus> = {
  succeeded: 'succeeded',
  pending: 'pending',
  failed: 'failed',
}
const REFUND_STATUS: Record<string, ProviderStatus> = {
  succeeded: 'succeeded',
  pending: 'pending',
  requires_action: 'pending',
  failed: 'failed',
  canceled: 'canceled',
}

/** https://docs.stripe.com/api/disputes/object#dispute_object-status: inquiries (`warning_…`) move no money. */
const DISPUTE_STATUS: Record<string, ProviderStatus> = {
  needs_response: 'pending',
  under_review: 'pending',
  lost: 'succeeded',
  won: 'canceled',
  prevented: 'canceled',
  warning_needs_response: 'canceled',
  warning_under_review: 'canceled',
  warning_closed: 'canceled',
}

export function toCharge(config: StripeConfig, raw: Stripe.Charge): ProviderCharge {
  const charge = chargeSchema.parse(raw)
  const minor = (amount: number) => fromStripeAmount(amount, charge.currency).minor
  const intent =
    typeof charge.payment_intent === 'string' ? { id: charge.payment_intent } : charge.payment_intent
  return {
    kind: 'charge',
    id: charge.id,
    paymentIntentId: intent?.id ?? null,
    status: CHARGE_STATUS[charge.status] ?? 'other',
    rawStatus: charge.status,
    captured: charge.captured,
    amountMinor: minor(charge.amount),
    capturedMinor: minor(charge.amount_captured),
    refundedMinor: minor(charge.amount_refunded),
    ...feeOf(charge),
    currency: charge.currency.toUpperCase(),
    customer: charge.customer ?? null,
    createdAt: charge.created,
    live: charge.livemode,
    ...inherited(config, charge, intent ?? null),
  }
}

/**
 * A charge has its intent's metadata as it was when it was made. What the service wrote on the intent later stands only
 * there: a charge without a key of its own has the intent's.
 */
function inherited(
  config: StripeConfig,
  charge: { id: string; metadata: Record<string, string> },
  intent: { id: string; metadata?: Record<string, string> } | null,
): Pick<ProviderCharge, keyof ProviderTags | 'taggedBy'> {
  const own = tagsOf(config, charge.metadata)
  const above = tagsOf(config, intent?.metadata ?? {})
  const keyed = isKeyed(own) || !isKeyed(above) ? own : above
  return {
    ...keyed,
    reference: own.reference ?? above.reference,
    actionId: own.actionId ?? above.actionId,
    taggedBy: !isKeyed(keyed) ? null : keyed === own ? charge.id : (intent?.id ?? null),
  }
}

const isKeyed = ({ scope, key }: ProviderTags): boolean => scope !== null && key !== null

export function toRefund(config: StripeConfig, raw: Stripe.Refund): ProviderRefund {
  const refund = refundSchema.parse(raw)
  const rawStatus = refund.status ?? 'unknown'
  return {
    kind: 'refund',
    id: refund.id,
    chargeId: refund.charge ?? null,
    paymentIntentId: refund.payment_intent ?? null,
    status: REFUND_STATUS[rawStatus] ?? 'other',
    rawStatus,
    amountMinor: fromStripeAmount(refund.amount, refund.currency).minor,
    currency: refund.currency.toUpperCase(),
    createdAt: refund.created,
    live: null,
    ...tagsOf(config, refund.metadata),
  }
}

/** A fee in another currency than the charge's (a converted payout) is not compared. */
function feeOf({ balance_transaction: settled, currency }: z.infer<typeof chargeSchema>) {
  if (
    settled === null ||
    settled === undefined ||
    typeof settled === 'string' ||
    settled.currency !== currency
  )
    return { feeMinor: null, feeRef: null }
  return { feeMinor: fromStripeAmount(settled.fee, currency).minor, feeRef: settled.id }
}

export function toDispute(config: StripeConfig, raw: Stripe.Dispute): ProviderDispute {
  const dispute = disputeSchema.parse(raw)
  return {
    kind: 'dispute',
    id: dispute.id,
    chargeId: dispute.charge ?? null,
    paymentIntentId: dispute.payment_intent ?? null,
    status: DISPUTE_STATUS[dispute.status] ?? 'other',
    rawStatus: dispute.status,
    amountMinor: fromStripeAmount(dispute.amount, dispute.currency).minor,
    currency: dispute.currency.toUpperCase(),
    createdAt: dispute.created,
    live: dispute.livemode,
    ...tagsOf(config, dispute.metadata),
  }
}

export function tagsOf(config: StripeConfig, values: Record<string, string>): ProviderTags {
  const names = config.metadata
  return {
    scope: values[names.scope] ?? null,
    key: values[names.key] ?? null,
    step: values[names.step] ?? null,
    reference: values[names.reference] ?? null,
    actionId: values[names.action] ?? null,
  }
}

/** The tags as metadata; what is null is left out. */
export function toMetadata(config: StripeConfig, tags: ProviderTags): Record<string, string> {
  const names = config.metadata
  const pairs: [string, string | null][] = [
    [names.scope, tags.scope],
    [names.key, tags.key],
    [names.step, tags.step],
    [names.reference, tags.reference],
    [names.action, tags.actionId],
  ]
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== null))
}
