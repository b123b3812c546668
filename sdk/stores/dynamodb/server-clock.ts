import type { Clock } from '../../clock'
import { createEngineClock } from '../engine-clock'

export type ServerClock = {
  /** Epoch milliseconds on DynamoDB's clock; throws before the first reply. */
  nowMs(): number
  /** A reply with this `Date` came to a request that was sent at `sentMs` of the process's own clock. */
  observe(date: string | undefined, sentMs: number): void
}

/** DynamoDB's clock by the `Date` of its replies, which has whole seconds. */
export function createServerClock(clock: Clock): ServerClock {
  const engine = createEngineClock(clock)
  return {
    nowMs() {
      const nowMs = engine.nowMs()
      if (nowMs === null)
        throw new Error('DynamoDB’s replies have no Date header: what stands between must let it through')
      return nowMs
    },
    observe(date, sentMs) {
      const dateMs = date === undefined ? Number.NaN : Date.parse(date)
      if (!Number.isNaN(dateMs)) engine.observe(dateMs, 1_000, sentMs)
    },
  }
}
