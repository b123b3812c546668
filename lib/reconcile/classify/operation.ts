import type { EffectState, LeaseState, ProviderStatus } from '@/lib/sources/contracts'

/** Everything staged that belongs to one operation, by side and in order of time. What classification reads. */
export type Operation = {
  id: bigint
  system: string
  lives: Life[]
  charges: Charge[]
  payments: Payment[]
  refunds: Refund[]
  disputes: Dispute[]
  postings: Posting[]
  mismatches: Mismatch[]
}

export type LifeEffect = {
  name: string
  step: string
  state: EffectState
  reference: string | null
  amountMinor: bigint | null
  currency: string | null
  begunAt: Date
  settledAt: Date | null
}

/** One life of a key: its lease, or the record that the lease became. */
export type Life = {
  sourceId: string
  objectId: string
  scope: string
  key: string
  status: LeaseState | 'completed' | 'failed_final'
  /** Vanished without a record. */
  gone: boolean
  acquiredAt: Date
  leaseUntil: Date | null
  /** The store's clock, when its lease was last read. */
  observedAt: Date | null
  expiresAt: Date | null
  completedAt: Date | null
  httpStatus: number | null
  fence: string
  overdue: boolean
  reference: string | null
  effects: LifeEffect[]
  /** Ids that the stored response names. */
  names: string[]
}

type ProviderObject = {
  sourceId: string
  id: string
  /** `absent` = the provider was asked for it by id and has none. */
  status: ProviderStatus | 'absent'
  rawStatus: string | null
  /** Why it could not be read; null = it was. Its amount is then not known. */
  unreadable: string | null
  amountMinor: bigint
  currency: string
  scope: string | null
  key: string | null
  step: string | null
  reference: string | null
  actionId: string | null
  createdAt: Date
  /** When this state of it was first staged. */
  stagedAt: Date
  /** When the provider was last asked for it. */
  observedAt: Date
  modeMix: boolean
}

export type Charge = ProviderObject & {
  paymentIntentId: string | null
  /** Every id that a service may keep for it: its own, its payment intent's, its checkout session's or invoice's. */
  names: string[]
  /** The object whose metadata carries its key: itself, or a payment that it was made under. */
  taggedBy: string | null
  captured: boolean
  capturedMinor: bigint
  /** Authorised, and given up: never taken. */
  releasedMinor: bigint
  refundedMinor: bigint
  /** What the provider kept; null = not known. */
  feeMinor: bigint | null
  /** The provider's id of what settled it. */
  feeRef: string | null
  /** When its money was taken, by the provider's clock; null = not known. */
  takenAt: Date | null
}

/** A payment intent, a checkout session or an invoice: what charges are made under. It moves no money itself. */
export type Payment = ProviderObject & {
  /** The payment intents and charges that belong to it. */
  memberIds: string[]
}

export type Refund = ProviderObject & {
  chargeId: string | null
  /** By the provider's clock, whole seconds; null = it has not failed, or it is not known when. */
  failedAt: Date | null
}
export type Dispute = ProviderObject & {
  chargeId: string | null
  /** When the bank took the money, by the provider's clock; null = not known. */
  takenAt: Date | null
}

export type Posting = {
  sourceId: string
  entryId: string
  kind: 'charge' | 'refund' | 'fee' | 'dispute' | 'other'
  rawKind: string
  /** Why it could not be understood; its amount is then not known. */
  unreadable?: string | undefined
  providerRef: string | null
  chargeRef: string | null
  reference: string | null
  amountMinor: bigint
  currency: string
  bookedAt: Date
  reversed: boolean
  correctionId: string | null
}

export type Mismatch = { scope: string; key: string; firstAt: Date; lastAt: Date; count: number }
