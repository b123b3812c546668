import type { PageOf, TimeRange } from './pages'

/** What the caller put into the object's metadata. */
export type ProviderTags = {
  scope: string | null
  key: string | null
  step: string | null
  reference: string | null
  /** Idemscope's own action that made it. */
  actionId: string | null
}

export type ProviderStatus = 'pending' | 'succeeded' | 'failed' | 'canceled' | 'other'

export type ProviderCharge = ProviderTags & {
  kind: 'charge'
  id: string
  paymentIntentId: string | null
  status: ProviderStatus
  rawStatus: string
  captured: boolean
  amountMinor: bigint
  capturedMinor: bigint
  refundedMinor: bigint
  /** What the provider kept, in the charge's currency; null = not known (yet). */
  feeMinor: bigint | null
  /** The provider's id of the settlement that the fee was kept from; known with the fee. */
  feeRef: string | null
  currency: string
  customer: string | null
  createdAt: Date
  live: boolean
}

export type ProviderRefund = ProviderTags & {
  kind: 'refund'
  id: string
  chargeId: string | null
  paymentIntentId: string | null
  status: ProviderStatus
  rawStatus: string
  amountMinor: bigint
  currency: string
  createdAt: Date
  /** Stripe's refunds carry no mode of their own: null there. */
  live: boolean | null
}

/** `pending` = the money is withheld, `succeeded` = it is gone, `canceled` = it came back, or never left. */
export type ProviderDispute = ProviderTags & {
  kind: 'dispute'
  id: string
  chargeId: string | null
  paymentIntentId: string | null
  status: ProviderStatus
  rawStatus: string
  amountMinor: bigint
  currency: string
  createdAt: Date
  live: boolean
}

/** What a key can have made. */
export type ProviderObject = ProviderCharge | ProviderRefund
/** Whatever is staged of a provider. */
export type ProviderRecord = ProviderObject | ProviderDispute

/** An event is a hint that an object changed; its snapshot may be old. */
export type ProviderHint = { eventId: string; at: Date; object: ProviderRecord }

export type ProviderRefundOutcome =
  | { kind: 'done'; refund: ProviderRefund }
  /** The provider said no; nothing happened. */
  | { kind: 'refused'; code: string; message: string }
  /** Nobody knows: settle by reading. */
  | { kind: 'unknown'; message: string }

export interface ProviderSource {
  readonly kind: 'provider'
  /** `live` or `test`: an object of the other mode is a mode mix. */
  readonly mode: 'live' | 'test'
  /** What the service calls these effects in its telemetry. */
  readonly effectNames: { charge: string; refund: string }
  /** A write key is configured. */
  readonly canRefund: boolean
  /** Answers for a cancelled or unreachable provider are errors; an empty page is an answer. */
  listCharges(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderCharge>>
  listRefunds(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderRefund>>
  listDisputes(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderDispute>>
  listHints(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderHint>>
  /** null = the provider says that there is no such object. */
  retrieveCharge(id: string): Promise<ProviderCharge | null>
  retrieveRefund(id: string): Promise<ProviderRefund | null>
  retrieveDispute(id: string): Promise<ProviderDispute | null>
  /** The charge of a payment intent, and all refunds of a charge, complete. */
  chargeOfPaymentIntent(id: string): Promise<ProviderCharge | null>
  refundsOfCharge(chargeId: string): Promise<ProviderRefund[]>
  createRefund(refund: {
    idempotencyKey: string
    chargeId: string
    amountMinor: bigint
    currency: string
    tags: ProviderTags
  }): Promise<ProviderRefundOutcome>
  close(): Promise<void>
}
