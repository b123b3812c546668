import type { Clock } from '../clock'

/** Clocks of machines drift apart by less than that. */
const DRIFT = 0.0005

export type EngineClock = {
  /** Epoch milliseconds on the engine's clock, as near as it is known; null before the first reply. */
  nowMs(): number | null
  /** It is surely not later there. */
  latestMs(): number | null
  /**
   * The engine's clock showed a time from `atMs` on and less than `withinMs` later, at some moment between `sentMs` of the
   * process's own clock and now.
   */
  observe(atMs: number, withinMs: number, sentMs: number): void
}

/**
 * An engine's clock, as its replies tell it: each narrows down how far it is from the process's own, which only ever goes
 * forward. So the machine's wall clock, which people and daemons set, is never asked.
 */
export function createEngineClock(clock: Clock): EngineClock {
  let known: { lowMs: number; highMs: number; seenMs: number } | null = null
  const drifted = (nowMs: number) => (known === null ? 0 : (nowMs - known.seenMs) * DRIFT)
  return {
    nowMs: () => (known === null ? null : clock.nowMs() + (known.lowMs + known.highMs) / 2),
    latestMs: () => (known === null ? null : clock.nowMs() + known.highMs + drifted(clock.nowMs())),
    observe(atMs, withinMs, sentMs) {
      const seenMs = clock.nowMs()
      const seen = { lowMs: atMs - seenMs, highMs: atMs + withinMs - sentMs }
      const driftMs = drifted(seenMs)
      const lowMs = Math.max(seen.lowMs, (known?.lowMs ?? seen.lowMs) - driftMs)
      const highMs = Math.min(seen.highMs, (known?.highMs ?? seen.highMs) + driftMs)
      // Apart: this process was stopped with its clock, or the other one was set. The newest reply is right.
      known = lowMs <= highMs ? { lowMs, highMs, seenMs } : { ...seen, seenMs }
    },
  }
}
