import type { IncomingMessage, ServerResponse } from 'node:http'
import { WholeResponse } from '@/sdk/responses/whole-response'

const NULL_BODY_STATUSES = new Set([204, 205, 304])

/** Sends an answer that is there whole, with its length and in one write. A client that went away hears nothing. */
export async function writeAnswer(
  response: Response,
  outgoing: ServerResponse,
  incoming: IncomingMessage,
): Promise<void> {
  const body =
    response instanceof WholeResponse ? response.content : Buffer.from(await response.arrayBuffer())
  if (outgoing.destroyed) return
  const headers: string[] = []
  for (const [name, value] of response.headers) if (name !== 'content-length') headers.push(name, value)
  if (!NULL_BODY_STATUSES.has(response.status)) headers.push('content-length', String(body.byteLength))
  // Half-read uploads (413) would poison the next request of a kept connection.
  if (!incoming.complete) outgoing.shouldKeepAlive = false
  outgoing.writeHead(response.status, response.statusText, headers)
  outgoing.end(incoming.method === 'HEAD' ? undefined : body)
}
