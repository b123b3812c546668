import { WEB_REQUESTS } from './requests/kind'
import { idempotentOf } from './requests/serve'
import type { IdempotentHandler } from './run/context'
import type { IdempotentOptions } from './run/options'

export type { KeyParts, KeySource } from './keys/content-key'
export { REPLAY_HEADERS_DEFAULT } from './responses/stored-response'
export type {
  EffectOptions,
  EffectReport,
  EffectResult,
  IdempotencyContext,
  IdempotentHandler,
} from './run/context'
export type { IdempotentOptions, ScopeParts } from './run/options'

/**
 * Makes a Web-standard handler idempotent by the request's `Idempotency-Key`: one execution for each key, its answer
 * replayed to every duplicate. What the handler throws is thrown on, after the key was settled.
 */
export function idempotent<Tx = unknown, Extra = undefined>(
  handler: IdempotentHandler<Tx, Extra>,
  options: IdempotentOptions<Tx, Extra>,
): (
  request: Request,
  ...extra: Extra extends undefined ? [extra?: unknown] : [extra: Extra]
) => Promise<Response> {
  const serve = idempotentOf(WEB_REQUESTS, handler, options)
  return (request, ...[extra]) => serve(request, extra as Extra)
}
