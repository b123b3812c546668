/** A message as a broker delivers it. */
export type ConsumedMessage = {
  /** The same in every delivery: what the outbox gave it, or an id of its producer's. */
  id: string
  type?: string | undefined
  headers: Readonly<Record<string, string>>
  payload: Uint8Array
  /** 1 for the first delivery, where the broker counts. */
  deliveryAttempt?: number | undefined
  redelivered?: boolean | undefined
}

/** What is to become of a delivery. */
export type Disposition =
  /** Acknowledge it: applied now, or before. */
  | { kind: 'done'; replayed: boolean }
  /** Deliver it again after `delayMs`; nothing of it was applied that a retry would apply twice. */
  | {
      kind: 'later'
      reason: 'in_progress' | 'held' | 'store_unavailable' | 'stale' | 'deadline' | 'failed'
      delayMs: number
      error?: unknown
    }
  /**
   * Put it aside: nobody knows whether an effect of it happened (`unknown`), another message had its id (`mismatch`), or it has no
   * id that can be a key.
   */
  | { kind: 'parked'; reason: 'unknown' | 'mismatch' | 'no_id' }
