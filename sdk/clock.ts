/** Time as the SDK sees it: only for its own timers. Leases and expiry are compared on the store's clock. */
export type Clock = {
  /** Milliseconds that never go back. */
  nowMs(): number
  /** Calls once after `delayMs`; the result cancels it. A background timer does not keep the process alive. */
  after(delayMs: number, call: () => void, kind?: 'background'): () => void
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, call, kind) {
    const timer = setTimeout(call, delayMs)
    if (kind === 'background' && typeof timer === 'object') timer.unref()
    return () => clearTimeout(timer)
  },
}

export const sleep = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(delayMs, resolve)
  })

/** A signal that aborts after `delayMs`, unless it is cancelled before. */
export function abortAfter(clock: Clock, delayMs: number, reason: Error) {
  const controller = new AbortController()
  const cancel = clock.after(delayMs, () => controller.abort(reason))
  return { signal: controller.signal, cancel }
}
