/** Idempotency keys that were found at an address, and what to connect them with. */
export type DetectedLayout = {
  adapter: string
  library: string
  /** Names them in their store: a table, a pattern of keys. */
  place: string
  /** To begin with: a layout that needs a mapping gets it from whoever connects it. */
  config: Record<string, unknown>
  rowsEstimate: number
}
