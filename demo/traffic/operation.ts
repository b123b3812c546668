import type { StoreName } from '../stores/names'

export type ClientName = 'web' | 'mobile' | 'partner'
export type OperationKind =
  | 'create'
  | 'capture'
  | 'refund'
  | 'quick'
  | 'express'
  | 'legacy'
  | 'read'
  | 'lost-response'

/** One logical operation of one client; everything that is random about it is decided here, before it runs. */
export interface Operation {
  /** Whose routes it goes to. */
  readonly store: StoreName
  readonly index: number
  readonly client: ClientName
  readonly kind: OperationKind
  /** How many faults of its kind came before this one. */
  readonly faultsBefore: number
  readonly reference: string
  readonly customer: string
  readonly amountMinor: string
  readonly currency: 'USD' | 'EUR' | 'JPY' | 'KWD'
  /** Keys that the client will use, in order. */
  readonly keys: readonly [string, string, string]
  readonly seed: string
}
