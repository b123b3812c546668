import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { endToEndHeaders } from '../responses/passed-through'
import { problemResponse } from '../responses/problem'
import { type Incoming, type Parsed, toRequest } from './incoming'

/** What an adapter serves: a handler of `idempotent` whose `extra` is what the framework passes beside the request. */
export type AdaptedHandler<Extra> = (request: Request, extra: Extra) => Promise<Response> | Response

/** Rejects with what the handler throws, and with IdempotencyUsageError where the body is no longer to be had. */
export async function askHandler<Extra>(
  handler: AdaptedHandler<Extra>,
  extra: Extra,
  incoming: Incoming,
  parsed?: Parsed,
): Promise<Response> {
  let request: Request
  try {
    request = toRequest(incoming, parsed)
  } catch (error) {
    // What `Request` does not take: a method, or a Host.
    if (error instanceof TypeError) return problemResponse('malformed')
    throw error
  }
  return handler(request, extra)
}

/** The headers of an answer as frameworks take them: cookies stay apart. */
export function* headersOf(response: Response): Generator<[name: string, value: string | string[]]> {
  const headers = endToEndHeaders(response.headers)
  for (const [name, value] of headers) if (name !== 'set-cookie') yield [name, value]
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) yield ['set-cookie', cookies]
}

/** The types of node's streams and of the Web's differ in name only. */
export const nodeBodyOf = ({ body }: Response): Readable | null =>
  body === null ? null : Readable.fromWeb(body as ReadableStream<Uint8Array>)
