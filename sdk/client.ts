import { context, propagation } from '@opentelemetry/api'
import { backoffMs, readRetryAfterMs } from './client/backoff'
import { type ClientSettings, type IdempotentFetchOptions, resolveClientOptions } from './client/options'
import { shouldRetry } from './client/retryable'
import { sleepUnlessAborted, withTimeout } from './client/timeouts'
import { formatIdempotencyKey } from './idempotency-key'

export type { IdempotentFetchOptions } from './client/options'

export type IdempotentRequestInit = RequestInit & {
  /** The logical operation's key, when the caller has one (a stored order). Default: a new UUID for each call. */
  idempotencyKey?: string
}

export type IdempotentFetch = (
  input: string | URL | Request,
  init?: IdempotentRequestInit,
) => Promise<Response>

/** No answer that could be returned: every attempt failed, or the time was over. The outcome is not known. */
export class IdempotentFetchError extends Error {
  override readonly name = 'IdempotentFetchError'
  constructor(
    message: string,
    /** Use it to ask again later: the same key is the same operation. */
    readonly idempotencyKey: string,
    readonly attempts: number,
    cause: unknown,
  ) {
    super(message, { cause })
  }
}

/**
 * A fetch for operations that must happen once. One call is one logical operation: its key is made once and sent with
 * every attempt. It retries what may be retried (no answer, 408, 425, 429, 5xx, a 409 that says wait) with full-jitter
 * backoff, and returns the first answer that is final, or the last one when attempts or time are used up.
 */
export function createIdempotentFetch(options: IdempotentFetchOptions = {}): IdempotentFetch {
  const settings = resolveClientOptions(options)
  return async (input, init = {}) => {
    const { idempotencyKey = settings.makeKey(), ...rest } = init
    const request = await freeze(input, rest, formatIdempotencyKey(idempotencyKey))
    return attemptUntilFinal(settings, request, idempotencyKey)
  }
}

/** One request that can be sent again and again. */
type Frozen = { request: Request; body: ArrayBuffer | null; signal: AbortSignal | null }

async function freeze(input: string | URL | Request, init: RequestInit, keyHeader: string): Promise<Frozen> {
  const duplex = init.body instanceof ReadableStream ? { duplex: 'half' } : {}
  const request = new Request(input, { ...init, ...duplex })
  request.headers.set('idempotency-key', keyHeader)
  const body = request.body === null ? null : await request.arrayBuffer()
  return { request, body, signal: init.signal ?? (input instanceof Request ? input.signal : null) }
}

async function attemptUntilFinal(
  settings: ClientSettings,
  frozen: Frozen,
  idempotencyKey: string,
): Promise<Response> {
  const { clock, random, attemptsMax, totalTimeoutMs, onAttempt } = settings
  const endMs = clock.nowMs() + totalTimeoutMs
  const leftMs = () => endMs - clock.nowMs()

  for (let attempt = 1; ; attempt += 1) {
    const result = await tryOnce(settings, frozen, Math.min(settings.attemptTimeoutMs, leftMs()))
    onAttempt?.({ attempt, idempotencyKey, ...result })
    if (frozen.signal?.aborted) throw frozen.signal.reason

    const retry = 'error' in result || shouldRetry(result.response)
    const askedMs = 'response' in result ? readRetryAfterMs(result.response, settings.dateNowMs()) : null
    const delayMs = backoffMs(settings, attempt, askedMs, random)
    if (!retry || attempt >= attemptsMax || delayMs >= leftMs()) {
      if ('response' in result) return result.response
      throw new IdempotentFetchError(
        `no answer after ${attempt} attempts`,
        idempotencyKey,
        attempt,
        result.error,
      )
    }
    if ('response' in result) await result.response.body?.cancel()
    await sleepUnlessAborted(clock, delayMs, frozen.signal)
  }
}

type AttemptResult = { response: Response } | { error: unknown }

async function tryOnce(
  settings: ClientSettings,
  { request, body, signal }: Frozen,
  timeoutMs: number,
): Promise<AttemptResult> {
  const headers = new Headers(request.headers)
  // Each attempt belongs to the trace that is active now.
  propagation.inject(context.active(), headers, { set: (carrier, name, value) => carrier.set(name, value) })
  const { method, redirect, credentials, cache, mode, referrerPolicy, integrity } = request
  const init = { method, headers, body, redirect, credentials, cache, mode, referrerPolicy, integrity }
  return withTimeout(settings.clock, timeoutMs, signal, async (attemptSignal) => {
    const response = await settings.fetch(request.url, { ...init, signal: attemptSignal })
    return response
  })
}
