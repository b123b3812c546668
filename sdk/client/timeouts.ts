import type { Clock } from '../clock'

/** Runs one attempt; aborts it after `timeoutMs` or with the caller's signal. A rejection becomes a value. */
export async function withTimeout(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal | null,
  attempt: (signal: AbortSignal) => Promise<Response>,
): Promise<{ response: Response } | { error: unknown }> {
  const timeout = new AbortController()
  const cancelTimer = clock.after(timeoutMs, () =>
    timeout.abort(new DOMException('the attempt timed out', 'TimeoutError')),
  )
  try {
    // Combined, so that the caller can still abort the reading of the body.
    return {
      response: await attempt(signal === null ? timeout.signal : AbortSignal.any([timeout.signal, signal])),
    }
  } catch (error) {
    return { error }
  } finally {
    cancelTimer()
  }
}

export function sleepUnlessAborted(clock: Clock, delayMs: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
