import { abortAfter, type Clock } from '../clock'

/** Runs a call that ends after `timeoutMs` or with the caller's signal. */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal | null,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = abortAfter(clock, timeoutMs, timeoutError())
  try {
    // Combined, so that the caller can still abort the reading of the answer's body.
    return await call(signal === null ? timeout.signal : anyOf(timeout.signal, signal))
  } finally {
    timeout.cancel()
  }
}

/** React Native has no DOMException. */
function timeoutError(): Error {
  const message = 'it took too long'
  if (typeof DOMException !== 'undefined') return new DOMException(message, 'TimeoutError')
  return Object.assign(new Error(message), { name: 'TimeoutError' })
}

/** React Native, and browsers before 2024, have no AbortSignal.any. */
function anyOf(...signals: AbortSignal[]): AbortSignal {
  if (typeof AbortSignal.any === 'function') return AbortSignal.any(signals)
  const either = new AbortController()
  for (const signal of signals) {
    const abort = () => either.abort(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true, signal: either.signal })
  }
  return either.signal
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
