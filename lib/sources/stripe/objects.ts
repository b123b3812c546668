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
/** Null in API versions before 2025-03-31, in a charge that was canceled. */
const captured = z
  .int()
  .nullish()
  .transform((value) => value ?? 0)

const chargeSchema = z.object({
  id: z.string(),
  object: z.literal('charge'),
  amount: z.int(),
  amount_captured: captured,
  amount_refunded: z.int(),
  /** An id where it was not expanded: in the snapshots of events. Null until the charge settles. */
  balance_transaction: z
    .union([
      z.string().transform((settlement) => ({ id: settlement, settled: null })),
      z
        .object({ id: z.string(), amount: z.int(), fee: z.int(), currency: z.string(), created })
        .transform((settled) => ({ id: settled.id, settled })),
    ])
    .nullish(),
  captured: z.boolean(),
  created,
  currency: z.string(),
  customer: id.nullish(),
  livemode: z.boolean(),
  metadata,
  /** An id where it was not expanded. */
  payment_intent: z
    .union([
      z.string().transform((intent) => ({ id: intent, status: null, metadata: {} })),
      z.object({ id: z.string(), status: z.string(), metadata }),
    ])
    .nullish()
    .transform((value) => value ?? null),
  refunded: z.boolean(),
  status: z.string(),
})
type ChargeFields = z.infer<typeof chargeSchema>

const disputeSchema = z.object({
  id: z.string(),
  object: z.literal('dispute'),
  amount: z.int(),
  /** Of the funds withdrawn and reinstated, in this order. */
  balance_transactions: z.array(z.object({ created })).nullish(),
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
  balance_transaction: z
    .union([z.string(), z.object({ id: z.string(), reporting_category: z.string() })])
    .nullish(),
  charge: z.union([z.string(), z.object({ id: z.string(), amount_captured: captured })]).nullish(),
  created,
  currency: z.string(),
  /** An id where it was not expanded. Absent until it fails. */
  failure_balance_transaction: z
    .union([z.string().transform(() => null), z.object({ created }).transform((made) => made.created)])
    .nullish(),
  metadata,
  payment_intent: id.nullish(),
  reason: z.string().nullish(),
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
  appeal_needs_response: 'pending',
  appeal_under_review: 'pending',
  lost: 'succeeded',
  won: 'canceled',
  prevented: 'canceled',
  warning_needs_response: 'canceled',
  warning_under_review: 'canceled',
  warning_closed: 'canceled',
}

/** `refunded` where the charge's own sum does not tell: of a part that was released (`hasReleasedPart`). */
export function toCharge(config: StripeConfig, raw: Stripe.Charge, refunded?: number): ProviderCharge {
  const charge = chargeSchema.parse(raw)
  const minor = (amount: number) => fromStripeAmount(amount, charge.currency).minor
  return {
    kind: 'charge',
    id: charge.id,
    paymentIntentId: charge.payment_intent?.id ?? null,
    status: CHARGE_STATUS[charge.status] ?? 'other',
    rawStatus: charge.status,
    captured: charge.captured,
    amountMinor: minor(charge.amount),
    capturedMinor: minor(charge.amount_captured),
    releasedMinor: minor(releasedOf(charge)),
    refundedMinor: minor(charge.amount_captured === 0 ? 0 : (refunded ?? charge.amount_refunded)),
    feeMinor: feeOf(charge),
    feeRef: charge.balance_transaction?.id ?? null,
    takenAt: charge.balance_transaction?.settled?.created ?? null,
    currency: charge.currency.toUpperCase(),
    customer: charge.customer ?? null,
    createdAt: charge.created,
    live: charge.livemode,
    ...inherited(config, charge),
  }
}

/**
 * Until 2025-03-31 a released authorisation counted as refunded, with a refund object of its own; what the service's
 * version of the API was when it captured decides. https://docs.stripe.com/changelog/basil/2025-03-31
 */
export const hasReleasedPart = (raw: Stripe.Charge): boolean =>
  raw.amount_captured > 0 && raw.amount_captured < raw.amount && raw.amount_refunded > 0

/** A captured intent that stays open (`requires_capture`) may be captured again: its rest is still held. */
function releasedOf(charge: ChargeFields): number {
  const rest = Math.max(0, charge.amount - charge.amount_captured)
  const { status } = charge.payment_intent ?? { status: null }
  const ended =
    status === null ? charge.captured || charge.refunded : status === 'succeeded' || status === 'canceled'
  return charge.status === 'succeeded' && ended ? rest : 0
}

/**
 * A fee in another currency than the charge's (a converted payout) is not compared, nor one of another amount than was
 * captured: of several captures each settles on its own.
 */
function feeOf({ balance_transaction, amount_captured, currency }: ChargeFields): bigint | null {
  const settled = balance_transaction?.settled
  if (!settled || settled.currency !== currency || settled.amount !== amount_captured) return null
  return fromStripeAmount(settled.fee, currency).minor
}

/**
 * A charge has its intent's metadata as it was when it was made. What the service wrote on the intent later stands only
 * there: a charge without a key of its own has the intent's.
 */
function inherited(
  config: StripeConfig,
  charge: ChargeFields,
): Pick<ProviderCharge, keyof ProviderTags | 'taggedBy'> {
  const own = tagsOf(config, charge.metadata)
  const above = tagsOf(config, charge.payment_intent?.metadata ?? {})
  const keyed = isKeyed(own) || !isKeyed(above) ? own : above
  return {
    ...keyed,
    reference: own.reference ?? above.reference,
    actionId: own.actionId ?? above.actionId,
    taggedBy: !isKeyed(keyed) ? null : keyed === own ? charge.id : (charge.payment_intent?.id ?? null),
  }
}

const isKeyed = ({ scope, key }: ProviderTags): boolean => scope !== null && key !== null

export function toRefund(config: StripeConfig, raw: Stripe.Refund): ProviderRefund {
  const refund = refundSchema.parse(raw)
  const rawStatus = refund.status ?? 'unknown'
  const { charge } = refund
  return {
    kind: 'refund',
    id: refund.id,
    chargeId: (typeof charge === 'object' ? charge?.id : charge) ?? null,
    paymentIntentId: refund.payment_intent ?? null,
    status: REFUND_STATUS[rawStatus] ?? 'other',
    rawStatus,
    amountMinor: fromStripeAmount(refund.amount, refund.currency).minor,
    released: isRelease(refund),
    failedAt: refund.failure_balance_transaction ?? null,
    currency: refund.currency.toUpperCase(),
    createdAt: refund.created,
    live: null,
    ...tagsOf(config, refund.metadata),
  }
}

/** https://docs.stripe.com/reports/reporting-categories: the released part of an authorisation has one of its own. */
function isRelease({ balance_transaction, charge, reason }: z.infer<typeof refundSchema>): boolean {
  if (reason === 'expired_uncaptured_charge') return true
  if (typeof charge === 'object' && charge?.amount_captured === 0) return true
  return (
    typeof balance_transaction === 'object' &&
    balance_transaction?.reporting_category === 'partial_capture_reversal'
  )
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
    takenAt: dispute.balance_transactions?.[0]?.created ?? null,
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
