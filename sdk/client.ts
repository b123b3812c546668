import { context, propagation } from '@opentelemetry/api'
import { backoffMs, readRetryAfterMs } from './client/backoff'
import { createKeptKeys, createMemoryStorage } from './client/kept-keys'
import { type ClientSettings, type IdempotentFetchOptions, resolveClientOptions } from './client/options'
import { type IdempotencyProblem, readIdempotencyProblem } from './client/problem'
import { isRequest, makeRepeatable, type RepeatableRequest } from './client/repeatable-request'
import { shouldRetry } from './client/retryable'
import { sleepUnlessAborted, withTimeout } from './client/timeouts'
import { IdempotencyUsageError } from './errors'
import { formatIdempotencyKey, parseIdempotencyKey } from './idempotency-key'

export type { KeyStorage } from './client/kept-keys'
export type { IdempotentFetchOptions } from './client/options'
export { type IdempotencyProblem, readIdempotencyProblem } from './client/problem'

export type IdempotentRequestInit = RequestInit & {
  /** The logical operation's key, when the caller has one (a stored order). Default: a new UUID for each call. */
  idempotencyKey?: string
  /**
   * Names the logical operation (a cart, a form), whose key is kept in `keyStorage` until its answer is final: after a reload, the
   * same name is the same key. What is sent under one name must be the same.
   */
  operation?: string
}

export type IdempotentFetch = ((
  input: string | URL | Request,
  init?: IdempotentRequestInit,
) => Promise<Response>) & {
  /** Gives a named operation up, so that its name gets a new key: when the user decides anew, and knows how the last try ended. */
  forget(operation: string): Promise<void>
}

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
  const keptKeys = createKeptKeys(settings.keyStorage ?? createMemoryStorage())
  const send = async (
    input: string | URL | Request,
    { idempotencyKey: given, operation, ...init }: IdempotentRequestInit = {},
  ) => {
    const chosen = chooseKey(input, init, given)
    if (chosen !== undefined && operation !== undefined)
      throw new IdempotencyUsageError('operation and idempotencyKey both choose the key: give one of them')
    const idempotencyKey =
      chosen ??
      (operation === undefined
        ? settings.makeKey()
        : await keptKeys.take(operation, () => settings.makeKey()))
    const signal = init.signal ?? (isRequest(input) ? input.signal : null)
    const { clock, totalTimeoutMs, bodyBytesMax } = settings
    const endMs = clock.nowMs() + totalTimeoutMs
    const keyHeader = formatIdempotencyKey(idempotencyKey)
    const request = await withTimeout(clock, totalTimeoutMs, signal, (signal) =>
      makeRepeatable(input, init, { keyHeader, bodyBytesMax, signal }),
    )
    const response = await attemptUntilFinal(settings, { request, signal, idempotencyKey, endMs })
    if (operation !== undefined && settings.isSettled(response))
      await keptKeys.forget(operation, idempotencyKey)
    return response
  }
  return Object.assign(send, { forget: (operation: string) => keptKeys.forget(operation) })
}

/** The caller may have set the header itself; two keys for one operation are a mistake. */
function chooseKey(
  input: string | URL | Request,
  init: RequestInit,
  chosen: string | undefined,
): string | undefined {
  const headers = new Headers(init.headers ?? (isRequest(input) ? input.headers : {}))
  const given = parseIdempotencyKey(headers.get('idempotency-key'))
  if (given.kind === 'missing') return chosen
  if (given.kind === 'malformed')
    throw new RangeError(`the Idempotency-Key header is not usable: ${given.reason}`)
  if (chosen !== undefined && chosen !== given.key)
    throw new IdempotencyUsageError('idempotencyKey and the Idempotency-Key header differ: give one of them')
  return given.key
}

type Operation = {
  request: RepeatableRequest
  signal: AbortSignal | null
  idempotencyKey: string
  endMs: number
}

async function attemptUntilFinal(
  settings: ClientSettings,
  { request, signal, idempotencyKey, endMs }: Operation,
): Promise<Response> {
  const { clock, random, attemptsMax, onAttempt } = settings
  const leftMs = () => endMs - clock.nowMs()

  for (let attempt = 1; ; attempt += 1) {
    const isMarked = settings.markRetries && attempt > 1
    const timeoutMs = Math.min(settings.attemptTimeoutMs, leftMs())
    const result = await tryOnce(settings, request, signal, timeoutMs, isMarked)
    if (onAttempt !== undefined) {
      const problem =
        'response' in result ? await readProblemWithin(settings, timeoutMs, result.response) : null
      onAttempt({ attempt, idempotencyKey, ...result, problem })
    }
    if (signal?.aborted) throw signal.reason

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
    // Whether the rest of that answer can still be let go of does not matter.
    if ('response' in result) void result.response.body?.cancel().catch(() => {})
    await sleepUnlessAborted(clock, delayMs, signal)
  }
}

/** An answer whose body stalls says nothing. */
const readProblemWithin = ({ clock }: ClientSettings, timeoutMs: number, response: Response) =>
  withTimeout(
    clock,
    timeoutMs,
    null,
    (ended) =>
      new Promise<IdempotencyProblem | null>((resolve) => {
        ended.addEventListener('abort', () => resolve(null), { once: true })
        void readIdempotencyProblem(response).then(resolve)
      }),
  )

type AttemptResult = { response: Response } | { error: unknown }

async function tryOnce(
  settings: ClientSettings,
  { url, init }: RepeatableRequest,
  signal: AbortSignal | null,
  timeoutMs: number,
  isMarked: boolean,
): Promise<AttemptResult> {
  const headers = new Headers(init.headers)
  if (isMarked) headers.set('idempotency-retry', '?1')
  // Each attempt belongs to the trace that is active now.
  propagation.inject(context.active(), headers, { set: (carrier, name, value) => carrier.set(name, value) })
  try {
    const response = await withTimeout(settings.clock, timeoutMs, signal, (signal) =>
      settings.fetch(url, { ...init, headers, signal }),
    )
    return { response }
  } catch (error) {
    return { error }
  }
}
