import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { parseMediaType } from '../fingerprint/media-type'
import { type AdaptedHandler, askHandler, headersOf, nodeBodyOf } from '../node/adapted'
import type { Parsed } from '../node/incoming'

/** What is used of Fastify's request. */
export type FastifyRequest = Parsed & { raw: IncomingMessage }
/** What is used of Fastify's reply. */
export type FastifyReply = {
  raw: ServerResponse
  code(status: number): unknown
  header(name: string, value: string | string[]): unknown
  send(payload?: unknown): unknown
}

/**
 * Serves a handler of `idempotent` in Fastify. It gets Fastify's request as `extra`. What it throws goes to Fastify's error
 * handler, and its answers pass through `onSend` hooks. A client that goes away does not stop it.
 */
export function toFastifyHandler<Req extends FastifyRequest, Reply extends FastifyReply>(
  handler: AdaptedHandler<Req>,
): (request: Req, reply: Reply) => Promise<Reply> {
  return async (request, reply) => {
    await serveFastify(handler, request, reply)
    return reply
  }
}

/** Rejects with what the handler threw, before anything was sent. */
export async function serveFastify<Req extends FastifyRequest>(
  handler: AdaptedHandler<Req>,
  request: Req,
  reply: FastifyReply,
): Promise<void> {
  const { body, rawBody } = request
  // Fastify leaves no body where no parser made one.
  const response = await askHandler(handler, request, request.raw, { body, rawBody, _body: true })
  reply.code(response.status)
  if (response.statusText !== '') reply.raw.statusMessage = response.statusText
  for (const [name, value] of headersOf(response)) reply.header(name, value)
  reply.send(nodeBodyOf(response) ?? undefined)
}

type Payload = Readable & { receivedEncodedLength?: number }

/**
 * Keeps the bytes that a parser of Fastify reads, so that requests are compared as they were sent:
 * `fastify.addHook('preParsing', keepRawBody)`. Uploads are not kept: they are read by the handler itself.
 */
export function keepRawBody(
  request: FastifyRequest,
  _reply: unknown,
  payload: Payload,
  done: (error: null, payload: Readable) => void,
): void {
  if (parseMediaType(request.raw.headers['content-type'] ?? null).essence.startsWith('multipart/')) {
    done(null, payload)
    return
  }
  const chunks: Uint8Array[] = []
  const kept: Transform & Payload = new Transform({
    transform(chunk: Uint8Array, _encoding, pass) {
      chunks.push(chunk)
      // By which Fastify checks Content-Length and its own bound.
      kept.receivedEncodedLength =
        payload.receivedEncodedLength ?? (kept.receivedEncodedLength ?? 0) + chunk.byteLength
      pass(null, chunk)
    },
    flush(end) {
      request.rawBody = Buffer.concat(chunks)
      end()
    },
  })
  payload.on('error', (error) => kept.destroy(error))
  payload.pipe(kept)
  done(null, kept)
}
