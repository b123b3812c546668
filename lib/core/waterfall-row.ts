/** A span as a line of the waterfall: small, since there may be 10,000. */
export type WaterfallRow = {
  /** As of `keySpans`. */
  key: string
  depth: number
  name: string
  service: string
  /** From the beginning of the trace. */
  startMs: number
  durationMs: number
  failed: boolean
  /** It carries a key, or caused a side effect. */
  mark: 'key' | 'effect' | null
}
