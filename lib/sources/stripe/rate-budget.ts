/** Time that a test can move: everything that waits goes through it. */
export type Waiting = { nowMs(): number; sleep(ms: number): Promise<void>; random(): number }

export const ambientWaiting: Waiting = {
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
}

/** Spaces calls out to `perSecond`, with a burst of one second's worth; callers are served in order. */
export function createRateBudget(perSecond: number, waiting: Waiting): () => Promise<void> {
  const spacingMs = 1000 / perSecond
  let nextMs = waiting.nowMs() - 1000
  return async () => {
    const nowMs = waiting.nowMs()
    nextMs = Math.max(nextMs + spacingMs, nowMs - 1000)
    const waitMs = nextMs - nowMs
    if (waitMs > 0) await waiting.sleep(waitMs)
  }
}
