import { formatIdempotencyKey } from '../idempotency-key'
import { injectTrace, type KeyHookOptions, needsKey, resolveHookOptions } from './hook-options'
import { RETRYABLE_STATUSES, shouldRetry } from './retryable'

export type { KeyHookOptions } from './hook-options'

type KyOptions = {
  hooks: { beforeRequest: ((state: { request: Request }) => void)[] }
  retry: {
    limit: number
    methods: ('get' | 'put' | 'head' | 'delete' | 'post' | 'patch')[]
    statusCodes: number[]
    afterStatusCodes: number[]
    backoffLimit: number
    retryOnTimeout: boolean
    delay: (attempt: number) => number
    jitter: boolean
    shouldRetry: (state: { error: Error }) => boolean | undefined
  }
}

/**
 * Options for `ky.create` or `ky.extend`: every request that changes something gets an `Idempotency-Key`, unless it has one, and
 * ky retries with the same key what may be retried.
 */
export function idempotencyKeys(options: KeyHookOptions = {}): KyOptions {
  const settings = resolveHookOptions(options)
  const statusCodes = [409, ...RETRYABLE_STATUSES]
  return {
    hooks: {
      // Once for all attempts: ky sends the same request again.
      beforeRequest: [
        ({ request }) => {
          if (!needsKey(request.method)) return
          if (!request.headers.has('idempotency-key'))
            request.headers.set('idempotency-key', formatIdempotencyKey(settings.makeKey()))
          injectTrace((name, value) => request.headers.set(name, value))
        },
      ],
    },
    retry: {
      limit: settings.attemptsMax - 1,
      methods: ['get', 'head', 'put', 'delete', 'post', 'patch'],
      statusCodes,
      afterStatusCodes: statusCodes,
      backoffLimit: settings.backoffMaxMs,
      retryOnTimeout: true,
      delay: (attempt) => settings.backoffBaseMs * 2 ** (attempt - 1),
      jitter: true,
      // Undefined leaves it to ky, which then waits as long as Retry-After says.
      shouldRetry: ({ error }) =>
        'response' in error && !shouldRetry(error.response as Response) ? false : undefined,
    },
  }
}
