import { context, propagation } from '@opentelemetry/api'
import { isSafeMethod } from '../requests/safe-methods'
import { type IdempotentFetchOptions, resolveClientOptions } from './options'

/** What a client with a retry of its own may set. */
export type KeyHookOptions = Pick<
  IdempotentFetchOptions,
  'attemptsMax' | 'backoffBaseMs' | 'backoffMaxMs' | 'makeKey' | 'clock' | 'random' | 'dateNowMs'
>

export const resolveHookOptions = (options: KeyHookOptions) => resolveClientOptions(options)

export const needsKey = (method: string | undefined): boolean =>
  !isSafeMethod((method ?? 'GET').toUpperCase())

/** The active trace goes with the request. */
export const injectTrace = (set: (name: string, value: string) => void): void =>
  propagation.inject(context.active(), null, { set: (_, name, value) => set(name, value) })
