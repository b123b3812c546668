import { sleep } from '../clock'
import { IdempotencyUsageError } from '../errors'
import { formatIdempotencyKey } from '../idempotency-key'
import { backoffMs, readRetryAfterMs } from './backoff'
import { injectTrace, type KeyHookOptions, needsKey, resolveHookOptions } from './hook-options'
import { shouldRetry } from './retryable'

export type { KeyHookOptions } from './hook-options'

type AxiosHeaders = { has(name: string): boolean; set(name: string, value: string): unknown }
/** What is used of axios's request configuration. */
export type AxiosConfig = { method?: string; data?: unknown; headers: AxiosHeaders }
/** What is used of an instance of axios. */
export type AxiosInstance = {
  interceptors: {
    request: { use(fulfilled: <Config extends AxiosConfig>(config: Config) => Config): unknown }
    response: { use(fulfilled: null, rejected: (error: unknown) => unknown): unknown }
  }
  request(config: object): Promise<unknown>
}

type AxiosAnswer = { status: number; headers: Record<string, unknown> }
type Answered = Pick<Response, 'status' | 'headers'>

/**
 * Gives every request that changes something an `Idempotency-Key`, unless it has one, and sends it again with the same key where
 * it may be retried. Leave other retries of axios out.
 */
export function addIdempotencyKeys(axios: AxiosInstance, options: KeyHookOptions = {}): void {
  const settings = resolveHookOptions(options)

  axios.interceptors.request.use((config) => {
    if (!needsKey(config.method)) return config
    if (settings.attemptsMax > 1 && isStream(config.data))
      throw new IdempotencyUsageError(
        'a stream can be sent only once, so it cannot be retried with its key: read it into bytes first, or set attemptsMax to 1',
      )
    if (!config.headers.has('Idempotency-Key'))
      config.headers.set('Idempotency-Key', formatIdempotencyKey(settings.makeKey()))
    injectTrace((name, value) => config.headers.set(name, value))
    return config
  })

  axios.interceptors.response.use(null, async (error) => {
    const config = configOf(error)
    if (config === null || !needsKey(config.method) || !mayRetry(error)) throw error
    const attempt = attemptOf(config)
    const asked = answerOf(error)
    const askedMs = asked === null ? null : readRetryAfterMs(asked, settings.dateNowMs())
    if (attempt >= settings.attemptsMax) throw error
    await sleep(settings.clock, backoffMs(settings, attempt, askedMs, settings.random))
    return axios.request({ ...config, idempotencyAttempt: attempt + 1 })
  })
}

/** axios hands its configuration on to the next try, with what it does not know. */
const attemptOf = (config: object): number =>
  'idempotencyAttempt' in config && typeof config.idempotencyAttempt === 'number'
    ? config.idempotencyAttempt
    : 1

function configOf(error: unknown): AxiosConfig | null {
  if (!(error instanceof Error) || !('isAxiosError' in error) || !('config' in error)) return null
  return (error.config as AxiosConfig | undefined) ?? null
}

/** As fetch would give it. */
function answerOf(error: unknown): Answered | null {
  if (!(error instanceof Error) || !('response' in error)) return null
  const answer = error.response as AxiosAnswer | undefined
  if (answer === undefined) return null
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    if (typeof value === 'string') headers.set(name, value)
  return { status: answer.status, headers }
}

function mayRetry(error: unknown): boolean {
  const answer = answerOf(error)
  if (answer !== null) return shouldRetry(answer)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // What the caller stopped, and what was never sent.
  return code !== 'ERR_CANCELED' && code !== 'ERR_BAD_OPTION' && code !== 'ERR_INVALID_URL'
}

const isStream = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && ('pipe' in data || 'getReader' in data)
