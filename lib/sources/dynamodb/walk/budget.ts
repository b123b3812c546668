import type { Waiting } from '../../stripe/rate-budget'

/**
 * Capacity units a second, paid behind: what a request costs is known when it is answered, so the next one waits until
 * the last ones are paid. Callers are served in order; nothing is saved up while nobody reads.
 */
export function createCapacityBudget(unitsPerSecond: number, waiting: Waiting) {
  let nextMs = waiting.nowMs()
  const toMs = (units: number): number => (units / unitsPerSecond) * 1_000
  return {
    /** `expected`: what it will cost, as far as one knows. */
    async spend<T extends { units: number }>(expected: number, request: () => Promise<T>): Promise<T> {
      const nowMs = waiting.nowMs()
      const startMs = Math.max(nextMs, nowMs)
      nextMs = startMs + toMs(expected)
      if (startMs > nowMs) await waiting.sleep(startMs - nowMs)
      const answer = await request()
      nextMs += toMs(answer.units - expected)
      return answer
    },
  }
}
export type CapacityBudget = ReturnType<typeof createCapacityBudget>
