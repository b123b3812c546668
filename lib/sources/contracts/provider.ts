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
  /** The object whose metadata carries scope and key: the charge itself, or its payment intent. null = it has no key. */
  taggedBy: string | null
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

/**
 * What charges are made under: a payment intent, a checkout session or an invoice. It moves no money itself; its status
 * says whether charges may still come (`pending`), or none will (`canceled`).
 */
export type ProviderPayment = ProviderTags & {
  kind: 'payment'
  id: string
  /** Ids of the payment intents and charges that belong to it. */
  memberIds: string[]
  status: ProviderStatus
  rawStatus: string
  /** null = it asks for none, such as a session that saves a card. */
  amount: { minor: bigint; currency: string } | null
  customer: string | null
  createdAt: Date
  live: boolean
}

/** What a key can have made. */
export type ProviderObject = ProviderCharge | ProviderRefund
/** Whatever is staged of a provider. */
export type ProviderRecord = ProviderObject | ProviderDispute | ProviderPayment

/** An event is a hint that an object changed; its snapshot may be old. */
export type ProviderHint = { eventId: string; at: Date; object: ProviderRecord }

/** What the provider has under an id, whatever kind of id it is. */
export type Resolved =
  /** What the id stands for: the object itself, and of a payment its charges, none as long as nobody paid. */
  | { kind: 'found'; objects: ProviderRecord[] }
  /** The endpoint of the id's own kind says that there is no such object. */
  | { kind: 'absent' }
  /** No kind of id that this provider knows: it cannot be looked up. Says nothing about absence. */
  | { kind: 'unknown_id' }

/** An effect whose object nobody named: what of it is known, to tell which objects without tags could be it. */
export type SoughtEffect = {
  kind: 'charge' | 'refund'
  /** When it can have been made, by the provider's clock. */
  window: TimeRange
  /** null = not known: any amount could be it. */
  amount: { minor: bigint; currency: string } | null
  customer?: string | null
  paymentIntentId?: string | null
}

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
  /** The ids that `resolve` can look up. */
  readonly resolvableId: RegExp
  /** The provider's own clock, of an answer that it gives now; whole seconds, rounded down. */
  now(): Promise<Date>
  /** Answers for a cancelled or unreachable provider are errors; an empty page is an answer. */
  listCharges(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderCharge>>
  listRefunds(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderRefund>>
  listDisputes(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderDispute>>
  listHints(range: TimeRange, cursor: string | null): Promise<PageOf<ProviderHint>>
  /** Looks up any id that a service may keep: charge, payment intent, checkout session, invoice, refund, dispute. */
  resolve(id: string): Promise<Resolved>
  /** By the id of a charge; another kind of id is an error, never null. null = there is no such charge. */
  retrieveCharge(id: string): Promise<ProviderCharge | null>
  /** All refunds of a charge, complete. */
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
