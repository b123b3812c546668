import type { Clock } from '../../clock'
import { createEngineClock } from '../engine-clock'
import { microsOf } from './expression'

/** What a `Date` of whole seconds leaves open, and by how much the estimate may therefore step back. */
const DATE_WITHIN_MS = 1_000

export type ServerClock = {
  /** Epoch milliseconds on DynamoDB's clock; throws before the first reply. */
  nowMs(): number
  /**
   * The same in microseconds, and later than what it gave before: what one process writes down stays in order while it
   * learns the engine's clock better, which can set its estimate back.
   */
  nextMicros(): bigint
  /** A reply with this `Date` came to a request that was sent at `sentMs` of the process's own clock. */
  observe(date: string | undefined, sentMs: number): void
}

/** DynamoDB's clock by the `Date` of its replies, which has whole seconds. */
export function createServerClock(clock: Clock): ServerClock {
  const engine = createEngineClock(clock)
  let lastMicros = 0n
  function nowMs(): number {
    const now = engine.nowMs()
    if (now === null)
      throw new Error('DynamoDB’s replies have no Date header: what stands between must let it through')
    return now
  }
  return {
    nowMs,
    nextMicros() {
      const micros = microsOf(nowMs())
      // Further back than the estimate can be off: the engine's clock was set.
      const isOrdered = lastMicros < micros || lastMicros - micros > microsOf(DATE_WITHIN_MS)
      lastMicros = isOrdered ? micros : lastMicros + 1n
      return lastMicros
    },
    observe(date, sentMs) {
      const dateMs = date === undefined ? Number.NaN : Date.parse(date)
      if (!Number.isNaN(dateMs)) engine.observe(dateMs, DATE_WITHIN_MS, sentMs)
    },
  }
}
