/** What one round did. */
export type RelayRound = {
  /** Nothing to do; messages above the horizon only; some were taken. */
  kind: 'idle' | 'held_back' | 'worked'
  sent: number
  /** Refused, and to be tried again. */
  retried: number
  dead: number
  /** Put behind an older message of their key. */
  parked: number
  /** Published, but another relay has their lane: it publishes them too, and marks them. */
  stale: number
  /** Why the broker could not be reached; null = it could. */
  unavailable: unknown
}

/** A round that found nothing to do. */
export const NOTHING: RelayRound = {
  kind: 'idle',
  sent: 0,
  retried: 0,
  dead: 0,
  parked: 0,
  stale: 0,
  unavailable: null,
}
