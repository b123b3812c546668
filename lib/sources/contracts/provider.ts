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
  /** What was authorised and can be captured no more. It was never taken, so it is not refunded either. */
  releasedMinor: bigint
  refundedMinor: bigint
  /** What the provider kept of all that was captured, in the charge's currency; null = not known (yet). */
  feeMinor: bigint | null
  /** The provider's id of the settlement that the fee is kept from; null = it has not settled yet. */
  feeRef: string | null
  /** When its money was taken, by the provider's clock: later than its creation where it was authorised first. null = not known. */
  takenAt: Date | null
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
  /** The provider's record of an authorisation that was given up: no money moved. */
  released: boolean
  /** When it failed, by the provider's clock; null = it has not, or it is not known when. */
  failedAt: Date | null
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
  /** When the bank took the money, by the provider's clock: an inquiry may grow into a dispute. null = it did not, or it is not known. */
  takenAt: Date | null
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

/**
 * An object that is there and that cannot be understood: an amount that is no whole number of minor units, a field that
 * is missing. It is set apart by name, with whatever of it could be read; it proves neither presence nor absence.
 */
export type ProviderUnreadable = ProviderTags & {
  kind: 'unreadable'
  of: ProviderRecordKind | 'event'
  id: string
  reason: string
  paymentIntentId: string | null
  createdAt: Date | null
  /** It exists in the other mode (test against live), where this source's key sees no more of it than that. */
  otherMode: boolean
}

/** What a key can have made. */
export type ProviderObject = ProviderCharge | ProviderRefund
/** Whatever is staged of a provider. */
export type ProviderRecord = ProviderObject | ProviderDispute | ProviderPayment | ProviderUnreadable
export type ProviderRecordKind = 'charge' | 'refund' | 'dispute' | 'payment'

/** A page of a list, and when it was answered, by the provider's clock. */
export type ProviderPage<T> = PageOf<T | ProviderUnreadable> & { at: Date }

/** An event is a hint that an object changed. */
export type ProviderHint = {
  kind: 'hint'
  eventId: string
  /** By the provider's clock, whole seconds. */
  at: Date
  object: { id: string; of: ProviderRecordKind }
  /** The object as it was then; null = only reading it tells, such as in an event of another API version. */
  snapshot: ProviderRecord | null
}

/** What the provider has under an id, whatever kind of id it is. `at`: when it was answered, by the provider's clock. */
export type Resolved =
  /** What the id stands for: the object itself, and of a payment its charges, none as long as nobody paid. */
  | { kind: 'found'; at: Date; objects: ProviderRecord[] }
  /** The endpoint of the id's own kind says that there is no such object. */
  | { kind: 'absent'; at: Date }
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
  /** It was not to be sent any more; nothing happened. */
  | { kind: 'stopped'; message: string }
  /** Nobody knows: settle by reading. `replayed` = the provider repeats the error that it keeps for this key. */
  | { kind: 'unknown'; message: string; replayed: boolean }

export interface ProviderSource {
  readonly kind: 'provider'
  /** `live` or `test`: an object of the other mode is a mode mix. */
  readonly mode: 'live' | 'test'
  /** What the service calls these effects in its telemetry. */
  readonly effectNames: { charge: string; refund: string }
  /** A write key is configured. */
  readonly canRefund: boolean
  /** So long it answers a repeated idempotency key with the same object; null = as configured for all providers. */
  readonly idempotencyWindowMs: number | null
  /** The ids that `resolve` can look up. */
  readonly resolvableId: RegExp
  /** The provider's own clock, of an answer that it gives now; whole seconds, rounded down. */
  now(): Promise<Date>
  /** Answers for a cancelled or unreachable provider are errors; an empty page is an answer. */
  listCharges(range: TimeRange, cursor: string | null): Promise<ProviderPage<ProviderCharge>>
  listRefunds(range: TimeRange, cursor: string | null): Promise<ProviderPage<ProviderRefund>>
  listDisputes(range: TimeRange, cursor: string | null): Promise<ProviderPage<ProviderDispute>>
  listHints(range: TimeRange, cursor: string | null): Promise<ProviderPage<ProviderHint>>
  /**
   * Looks up any id that a service may keep: charge, payment intent, checkout session, invoice, refund, dispute. `of`
   * where the kind of object is known from elsewhere.
   */
  resolve(id: string, of?: ProviderRecordKind): Promise<Resolved>
  /** Checkout sessions and invoices that a payment intent belongs to; none where the source is not to read them. */
  paymentsAbove(paymentIntentId: string): Promise<(ProviderPayment | ProviderUnreadable)[]>
  /** By the id of a charge; another kind of id is an error, never null. null = there is no such charge. */
  retrieveCharge(id: string): Promise<ProviderCharge | null>
  /** All refunds of a charge that move money, complete. One that cannot be read is an error. */
  refundsOfCharge(chargeId: string): Promise<ProviderRefund[]>
  /** All disputes of a charge; none where the source is not to read them. One that cannot be read is an error. */
  disputesOfCharge(chargeId: string): Promise<ProviderDispute[]>
  /**
   * At most one refund for each idempotency key. It is sent once: whatever leaves open whether the provider carried it
   * out is `unknown`, and the caller reads before anything is sent again.
   */
  createRefund(refund: {
    idempotencyKey: string
    chargeId: string
    amountMinor: bigint
    currency: string
    tags: ProviderTags
    /** Asked immediately before each request: why it must not be sent now; null = it may be. */
    stopped?: () => Promise<string | null>
  }): Promise<ProviderRefundOutcome>
  close(): Promise<void>
}
