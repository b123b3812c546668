/** The one place that reads the ambient clock; everything else is given a Clock, so that tests can move time. */
export type Clock = { now(): Date }

export const systemClock: Clock = { now: () => new Date() }

/** Whether two times are less than so long apart, whichever comes first: a clock may have stepped back in between. */
export const isWithin = (spanMs: number, oneMs: number, otherMs: number): boolean =>
  Math.abs(oneMs - otherMs) < spanMs

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
