import type { Clock } from '../../clock'

/** Clocks of machines drift apart by less than that. */
const DRIFT = 0.0005

export type ServerClock = {
  /** Epoch milliseconds on DynamoDB's clock; throws before the first reply. */
  nowMs(): number
  /** A reply with this `Date` came to a request that was sent at `sentMs` of the process's own clock. */
  observe(date: string | undefined, sentMs: number): void
}

/**
 * DynamoDB's clock, as its replies tell it. A `Date` has whole seconds, and was written at some time between request and
 * reply: each narrows down how far DynamoDB's clock is from the process's own, which only ever goes forward. So the
 * machine's wall clock, which people and daemons set, is never asked.
 */
export function createServerClock(clock: Clock): ServerClock {
  let known: { lowMs: number; highMs: number; atMs: number } | null = null
  return {
    nowMs() {
      if (known === null)
        throw new Error('DynamoDB’s replies have no Date header: what stands between must let it through')
      return clock.nowMs() + (known.lowMs + known.highMs) / 2
    },
    observe(date, sentMs) {
      const dateMs = date === undefined ? Number.NaN : Date.parse(date)
      if (Number.isNaN(dateMs)) return
      const atMs = clock.nowMs()
      const seen = { lowMs: dateMs - atMs, highMs: dateMs + 1_000 - sentMs }
      const driftMs = known === null ? 0 : (atMs - known.atMs) * DRIFT
      const lowMs = Math.max(seen.lowMs, (known?.lowMs ?? seen.lowMs) - driftMs)
      const highMs = Math.min(seen.highMs, (known?.highMs ?? seen.highMs) + driftMs)
      // Apart: this process was stopped with its clock, or the other one was set. The newest reply is right.
      known = lowMs <= highMs ? { lowMs, highMs, atMs } : { ...seen, atMs }
    },
  }
}
