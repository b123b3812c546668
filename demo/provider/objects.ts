/** What the provider keeps: the fields that its behaviour depends on. `render.ts` adds the rest of Stripe's shape. */

export type Metadata = Readonly<Record<string, string>>

export interface PaymentIntent {
  readonly object: 'payment_intent'
  readonly id: string
  readonly createdS: number
  readonly amount: number
  readonly amountCapturable: number
  readonly amountReceived: number
  readonly currency: string
  readonly captureMethod: 'automatic' | 'automatic_async' | 'manual'
  readonly status:
    | 'requires_payment_method'
    | 'requires_confirmation'
    | 'requires_capture'
    | 'succeeded'
    | 'canceled'
  readonly customer: string | null
  readonly description: string | null
  readonly paymentMethod: string | null
  readonly latestCharge: string | null
  readonly cancellationReason?: string
  readonly failure: Failure | null
  readonly metadata: Metadata
}

export interface Failure {
  readonly code: string
  readonly message: string
}

export interface Charge {
  readonly object: 'charge'
  readonly id: string
  readonly createdS: number
  readonly amount: number
  readonly amountCaptured: number
  readonly amountRefunded: number
  /** Of what was refunded: an authorisation that was given up, as versions before 2025-03-31 count it. */
  readonly released?: number
  /** Captured in the background (`automatic_async`): there is no balance transaction yet. */
  readonly unsettled?: boolean
  /** When its balance transaction was made; absent = with the charge. */
  readonly takenS?: number
  readonly captured: boolean
  readonly currency: string
  readonly status: 'succeeded' | 'failed'
  readonly customer: string | null
  readonly description: string | null
  readonly paymentIntent: string
  readonly paymentMethod: string
  readonly failure: Failure | null
  readonly metadata: Metadata
}

export interface Refund {
  readonly object: 'refund'
  readonly id: string
  readonly createdS: number
  readonly amount: number
  readonly currency: string
  readonly status: 'succeeded' | 'failed'
  readonly charge: string
  readonly paymentIntent: string
  readonly reason: string | null
  /** What it did to the balance; null = nothing, an authorisation was given up. Absent = a refund. */
  readonly reportingCategory?: 'partial_capture_reversal' | null
  readonly failureReason: string | null
  /** When the money came back; absent = it did not, or before this was kept. */
  readonly failedS?: number
  readonly metadata: Metadata
}

export interface Dispute {
  readonly object: 'dispute'
  readonly id: string
  readonly createdS: number
  readonly amount: number
  readonly currency: string
  readonly status: 'warning_needs_response' | 'warning_closed' | 'needs_response' | 'won' | 'lost'
  readonly charge: string
  readonly paymentIntent: string
  /** When the bank took the money; absent = it only asks. */
  readonly takenS?: number
  readonly metadata: Metadata
}

/** A hosted page: its payment intent exists from the moment that the customer pays. Its metadata is its own. */
export interface CheckoutSession {
  readonly object: 'checkout.session'
  readonly id: string
  readonly createdS: number
  readonly amount: number
  readonly currency: string
  readonly status: 'open' | 'complete' | 'expired'
  readonly customer: string | null
  readonly paymentIntent: string | null
  readonly metadata: Metadata
  /** What the payment intent will carry (`payment_intent_data[metadata]`). */
  readonly intentMetadata: Metadata
}

/** Finalized, with the payment intent that its customer is to pay. Its metadata is its own. */
export interface Invoice {
  readonly object: 'invoice'
  readonly id: string
  readonly createdS: number
  readonly amount: number
  readonly currency: string
  readonly status: 'open' | 'paid'
  readonly customer: string
  readonly paymentIntent: string
  readonly metadata: Metadata
}

/** What the provider's mail service sent: it moves no money, and no event tells of it. */
export interface Mail {
  readonly object: 'mail'
  readonly id: string
  readonly createdS: number
  readonly to: string
  readonly subject: string
  readonly metadata: Metadata
}

export type Resource = PaymentIntent | Charge | Refund | Dispute | CheckoutSession | Invoice | Mail

export interface ProviderEvent {
  readonly object: 'event'
  readonly id: string
  readonly createdS: number
  readonly type: string
  /** The account's version of the API then, in whose shape the event shows its object; absent = the latest. */
  readonly apiVersion?: string
  /** The resource as it was at the event: resources are never mutated, so this is a snapshot. */
  readonly resource: Resource
}

export type Stored = Resource | ProviderEvent

/** The answer kept for an idempotency key. */
export interface KeptAnswer {
  readonly key: string
  readonly atMs: number
  readonly requestHash: string
  readonly requestId: string
  readonly status: number
  readonly body: string
}

/** One durable change: everything in it happens, or nothing. */
export interface Change {
  readonly sequence: number
  readonly put: readonly Stored[]
  readonly answer?: KeptAnswer
  readonly forget?: string
}
