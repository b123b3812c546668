import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { endToEndHeaders } from '../responses/passed-through'

/** Sends an answer. A client that goes away ends it without an error. */
export async function writeResponse(
  response: Response,
  outgoing: ServerResponse,
  incoming: IncomingMessage,
): Promise<void> {
  if (outgoing.destroyed) {
    dropBody(response)
    return
  }
  outgoing.statusCode = response.status
  if (response.statusText !== '') outgoing.statusMessage = response.statusText
  const headers = endToEndHeaders(response.headers)
  for (const [name, value] of headers) {
    if (name !== 'set-cookie') outgoing.setHeader(name, value)
  }
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  // Half-read uploads (413) would poison the next request of a kept connection.
  if (!incoming.complete) outgoing.setHeader('connection', 'close')
  if (response.body === null || incoming.method === 'HEAD') {
    dropBody(response)
    outgoing.end()
    return
  }
  // The types of node's streams and of the Web's differ in name only.
  const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>)
  await pipeline(body, outgoing).catch((error: unknown) => {
    if (!isPrematureClose(error)) throw error
  })
}

/** Nobody reads it: how its source ends does not matter. */
const dropBody = ({ body }: Response): void => {
  void body?.cancel().catch(() => {})
}

const isPrematureClose = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
