import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AdaptedHandler, askHandler, headersOf, nodeBodyOf } from '../node/adapted'
import type { Parsed } from '../node/incoming'

/** What is used of Koa's context. */
export type KoaContext = {
  req: IncomingMessage
  res: ServerResponse
  /** koa-bodyparser leaves `body` and `rawBody` here. */
  request: object
  status: number
  body: unknown
  set(name: string, value: string | string[]): void
  remove(name: string): void
}

/**
 * Serves a handler of `idempotent` in Koa 2 or 3. It gets Koa's context as `extra`. What it throws goes to the middleware in
 * front and to `app.on('error')`. A client that goes away does not stop it.
 */
export function toKoaMiddleware<Context extends KoaContext>(
  handler: AdaptedHandler<Context>,
): (context: Context) => Promise<void> {
  return async (context) => {
    const response = await askHandler(handler, context, context.req, context.request as Parsed)
    // Set first: Koa makes a status and a type of the body.
    context.body = nodeBodyOf(response)
    context.status = response.status
    if (response.statusText !== '') context.res.statusMessage = response.statusText
    if (!response.headers.has('content-type')) context.remove('content-type')
    for (const [name, value] of headersOf(response)) context.set(name, value)
  }
}
