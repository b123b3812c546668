import type { IdempotentFetchOptions } from '../../sdk/client'
import type { ClientName } from './operation'

export type Habit = Required<
  Pick<
    IdempotentFetchOptions,
    'attemptsMax' | 'backoffBaseMs' | 'backoffMaxMs' | 'attemptTimeoutMs' | 'totalTimeoutMs'
  >
>

/** How each client retries. */
export const habits: Readonly<Record<ClientName, Habit>> = {
  /** A browser: three quick retries, then the user sees an error. */
  web: {
    attemptsMax: 4,
    backoffBaseMs: 150,
    backoffMaxMs: 1000,
    attemptTimeoutMs: 3000,
    totalTimeoutMs: 12_000,
  },
  /** A phone: waits long between attempts. */
  mobile: {
    attemptsMax: 6,
    backoffBaseMs: 1000,
    backoffMaxMs: 6000,
    attemptTimeoutMs: 4000,
    totalTimeoutMs: 20_000,
  },
  /** Another company's server: tries again and again. */
  partner: {
    attemptsMax: 12,
    backoffBaseMs: 50,
    backoffMaxMs: 800,
    attemptTimeoutMs: 2000,
    totalTimeoutMs: 15_000,
  },
}

/**
 * What a fault's script needs: a client that does not give up before a dead holder's lease (5 s) has surely run out, and asks often enough to take
 * over before the deadline of that holder (8 s), should it wake.
 */
export function patiently(habit: Habit): Habit {
  return {
    ...habit,
    attemptsMax: 40,
    backoffBaseMs: 150,
    backoffMaxMs: 600,
    attemptTimeoutMs: 4000,
    totalTimeoutMs: 25_000,
  }
}
