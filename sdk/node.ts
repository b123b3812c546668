import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { problemResponse } from './problem'

export type NodeHandlerOptions = {
  /** Hears what the handler threw; the client is answered 500. Default: nothing. */
  onError?: (error: unknown) => void
}

/** What a body parser such as Express's may have left. */
type Incoming = IncomingMessage & { body?: unknown; originalUrl?: string }

/**
 * Serves a Web-standard handler under `node:http` or Express. A client that goes away does not stop the handler: its
 * effects may have begun, and its retry wants the answer.
 */
export function toNodeHandler(
  handler: (request: Request) => Promise<Response> | Response,
  options: NodeHandlerOptions = {},
): (incoming: Incoming, outgoing: ServerResponse) => Promise<void> {
  return async (incoming, outgoing) => {
    // A socket that breaks is no error of the handler's.
    outgoing.on('error', () => {})
    let response: Response
    try {
      response = await handler(toRequest(incoming))
    } catch (error) {
      options.onError?.(error)
      response = problemResponse('internal')
    }
    try {
      await writeResponse(response, outgoing, incoming)
    } catch (error) {
      outgoing.destroy()
      options.onError?.(error)
    }
  }
}

/** The request as the Web knows it, without a signal. */
function toRequest(incoming: Incoming): Request {
  const method = incoming.method ?? 'GET'
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    const name = incoming.rawHeaders[at] ?? ''
    if (!name.startsWith(':')) headers.append(name, incoming.rawHeaders[at + 1] ?? '')
  }
  const encrypted = 'encrypted' in incoming.socket && incoming.socket.encrypted === true
  const origin = `${encrypted ? 'https' : 'http'}://${incoming.headers.host ?? 'localhost'}`
  const path = incoming.originalUrl ?? incoming.url ?? '/'
  // Appended, not resolved: `//host/path` is a path here, never another host.
  const url = new URL(origin + (path.startsWith('/') ? path : `/${path}`))
  return new Request(url, { method, headers, ...bodyOf(incoming, method) })
}

function bodyOf(incoming: Incoming, method: string): RequestInit & { duplex?: 'half' } {
  if (method === 'GET' || method === 'HEAD') return {}
  const { body } = incoming
  if (incoming.readableEnded || body !== undefined)
    return body === undefined ? {} : { body: parsedBody(body) }
  return { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' }
}

// A parser was there first. JSON is fingerprinted by its meaning, so writing it again changes nothing.
function parsedBody(body: unknown): BodyInit {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return Uint8Array.from(body)
  return JSON.stringify(body)
}

async function writeResponse(
  response: Response,
  outgoing: ServerResponse,
  incoming: Incoming,
): Promise<void> {
  if (outgoing.destroyed) {
    await response.body?.cancel()
    return
  }
  outgoing.statusCode = response.status
  if (response.statusText !== '') outgoing.statusMessage = response.statusText
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') outgoing.setHeader(name, value)
  }
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  // Half-read uploads (413) would poison the next request of a kept connection.
  if (!incoming.complete) outgoing.setHeader('connection', 'close')
  if (response.body !== null && incoming.method !== 'HEAD') {
    for await (const chunk of response.body) {
      if (outgoing.destroyed) return
      if (!outgoing.write(chunk)) await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')])
    }
  }
  outgoing.end()
}
