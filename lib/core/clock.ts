/** The one place that reads the ambient clock; everything else is given a Clock, so that tests can move time. */
export type Clock = { now(): Date }

export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands still until it is told to move. */
export function manualClock(start: Date | string): Clock & { advance(ms: number): void } {
  let nowMs = new Date(start).getTime()
  return {
    now: () => new Date(nowMs),
    advance: (ms) => {
      nowMs += ms
    },
  }
}
