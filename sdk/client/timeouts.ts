import { abortAfter, type Clock } from '../clock'

/** Runs a call that ends after `timeoutMs` or with the caller's signal. */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal | null,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = abortAfter(clock, timeoutMs, new DOMException('it took too long', 'TimeoutError'))
  try {
    // Combined, so that the caller can still abort the reading of the answer's body.
    return await call(signal === null ? timeout.signal : AbortSignal.any([timeout.signal, signal]))
  } finally {
    timeout.cancel()
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
