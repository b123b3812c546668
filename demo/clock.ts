/** The one place of the demo that reads the ambient clock; everything else is given a Clock. */
export type Clock = {
  /** Epoch milliseconds. */
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }
