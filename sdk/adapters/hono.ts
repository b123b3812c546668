import type { AdaptedHandler } from '../node/adapted'
import { readBytes } from '../node/incoming'

/** What is used of Hono's context. */
export type HonoContext = {
  req: { raw: Request; bodyCache: object; text(): Promise<string>; arrayBuffer(): Promise<ArrayBuffer> }
}

/**
 * Serves a handler of `idempotent` in Hono, on every runtime. It gets Hono's context as `extra`. A validator, or `c.req`, may
 * have read the body before. What the handler throws goes to `app.onError`.
 */
export function toHonoHandler<Context extends HonoContext>(
  handler: AdaptedHandler<Context>,
): (c: Context) => Promise<Response> {
  return async (c) => handler(c.req.raw.bodyUsed ? await readAgain(c.req) : c.req.raw, c)
}

/** Hono keeps what `c.req` read: from text and bytes it knows what was sent, from the fields of a form it does not. */
async function readAgain(req: HonoContext['req']): Promise<Request> {
  const { url, method, headers: sent } = req.raw
  const headers = new Headers(sent)
  const isBytes = 'arrayBuffer' in req.bodyCache || 'blob' in req.bodyCache
  const rawBody = isBytes
    ? new Uint8Array(await req.arrayBuffer())
    : 'text' in req.bodyCache
      ? await req.text()
      : undefined
  return new Request(url, { method, headers, body: readBytes({ rawBody }, headers) })
}
