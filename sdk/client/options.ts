import { type Clock, systemClock } from '../clock'
import { IdempotencyOptionsError } from '../errors'
import { isSettled, type KeyStorage } from './kept-keys'
import type { IdempotencyProblem } from './problem'
import { makeRandomKey } from './random-key'

export type IdempotentFetchOptions = {
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Attempts in all. Default 6. */
  attemptsMax?: number
  /** For one attempt, until the head of the answer. Default 10 s. */
  attemptTimeoutMs?: number
  /** For all attempts and the waits between. Default 60 s. */
  totalTimeoutMs?: number
  /** A body is kept for all attempts, a stream too: a larger one is refused. Default 64 MiB. */
  bodyBytesMax?: number
  /** The first wait is up to this, each next one up to twice as long. Default 200 ms. */
  backoffBaseMs?: number
  /** Default 10 s. */
  backoffMaxMs?: number
  makeKey?: () => string
  /** Keeps the keys of named operations over a reload: `localStorage`, or React Native's AsyncStorage. Default in memory. */
  keyStorage?: KeyStorage
  /**
   * Whether an answer ends a named operation, so that its key is forgotten. Default: all but no answer, 5xx, and 400, 401, 408,
   * 409, 412, 422, 425, 428, 429, which the same key may follow.
   */
  isSettled?: (response: Response) => boolean
  /**
   * Says `Idempotency-Retry: ?1` with each attempt after the first, by which a service may look for the answer in its cache
   * first. A browser sends it elsewhere only where that service allows the header. Default false.
   */
  markRetries?: boolean
  onAttempt?: (event: {
    attempt: number
    idempotencyKey: string
    response?: Response
    /** What the answer says of the key: `held`, `outstanding`, `unknown-outcome` … */
    problem?: IdempotencyProblem | null
    error?: unknown
  }) => void
  clock?: Clock
  /** Wall clock, for a Retry-After that is a date. */
  dateNowMs?: () => number
  /** 0 ≤ x < 1. */
  random?: () => number
}

export type ClientSettings = Required<Omit<IdempotentFetchOptions, 'onAttempt' | 'keyStorage'>> &
  Pick<IdempotentFetchOptions, 'onAttempt' | 'keyStorage'>

export function resolveClientOptions(options: IdempotentFetchOptions): ClientSettings {
  const settings: ClientSettings = {
    ...options,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    attemptsMax: options.attemptsMax ?? 6,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 10_000,
    totalTimeoutMs: options.totalTimeoutMs ?? 60_000,
    bodyBytesMax: options.bodyBytesMax ?? 67_108_864,
    backoffBaseMs: options.backoffBaseMs ?? 200,
    backoffMaxMs: options.backoffMaxMs ?? 10_000,
    markRetries: options.markRetries ?? false,
    makeKey: options.makeKey ?? makeRandomKey,
    isSettled: options.isSettled ?? isSettled,
    clock: options.clock ?? systemClock,
    dateNowMs: options.dateNowMs ?? Date.now,
    random: options.random ?? Math.random,
  }
  const counts = [
    'attemptsMax',
    'attemptTimeoutMs',
    'totalTimeoutMs',
    'bodyBytesMax',
    'backoffBaseMs',
    'backoffMaxMs',
  ] as const
  const faults = counts
    .filter((name) => !(Number.isSafeInteger(settings[name]) && settings[name] >= 1))
    .map((name) => `${name} must be a whole number from 1`)
  if (faults.length > 0) throw new IdempotencyOptionsError(faults)
  return settings
}
