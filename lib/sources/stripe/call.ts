import Stripe from 'stripe'
import { SourceUnavailableError } from '../contracts'
import type { Waiting } from './rate-budget'

const BACKOFF_BASE_MS = 250
const BACKOFF_MAX_MS = 8_000
/** Longer than this we are not told to wait: the run ends as incomplete and the next one goes on. */
const RETRY_AFTER_MAX_MS = 20_000

export type Caller = <T>(request: () => Promise<T>) => Promise<T>

/**
 * Calls within the rate budget; repeats what `mayRepeat` says, after what the provider asks for or with a full-jitter
 * backoff. Reads are repeated on 429, 5xx and lost connections; a write only on 429, which the provider did not begin.
 */
export function createCaller(
  attemptsMax: number,
  budget: () => Promise<void>,
  waiting: Waiting,
  mayRepeat: (error: unknown) => boolean = isTransient,
): Caller {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      await budget()
      try {
        return await request()
      } catch (error) {
        if (!mayRepeat(error)) throw error
        if (attempt === attemptsMax) {
          throw new SourceUnavailableError(
            `the provider did not answer ${attemptsMax} times: ${text(error)}`,
            {
              cause: error,
            },
          )
        }
        await waiting.sleep(waitMs(error, attempt, waiting))
      }
    }
  }
}

export const isTransient = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeConnectionError ||
  error instanceof Stripe.errors.StripeRateLimitError ||
  (error instanceof Stripe.errors.StripeError && error.statusCode !== undefined && error.statusCode >= 500)

export const isRateLimit = (error: unknown): boolean => error instanceof Stripe.errors.StripeRateLimitError

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function waitMs(error: unknown, attempt: number, waiting: Waiting): number {
  const backoffMs = waiting.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** attempt)
  const asked =
    error instanceof Stripe.errors.StripeError ? Number(error.headers?.['retry-after']) : Number.NaN
  if (!Number.isFinite(asked) || asked <= 0) return backoffMs
  if (asked * 1000 > RETRY_AFTER_MAX_MS) {
    throw new SourceUnavailableError(`the provider asks to wait for ${asked} s`, { cause: error })
  }
  // Everybody was told the same second: spread out behind it.
  return asked * 1000 + waiting.random() * BACKOFF_BASE_MS
}
