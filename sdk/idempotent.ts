import type { IdempotentHandler } from './context'
import type { IdempotentOptions } from './options'
import { WEB_REQUESTS } from './requests/kind'
import { idempotentOf } from './requests/serve'

export type {
  EffectOptions,
  EffectReport,
  EffectResult,
  IdempotencyContext,
  IdempotentHandler,
} from './context'
export type { KeyParts, KeySource } from './keys/content-key'
export type { IdempotentOptions, ScopeParts } from './options'
export { REPLAY_HEADERS_DEFAULT } from './stored-response'

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
