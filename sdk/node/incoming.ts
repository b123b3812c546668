import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { IdempotencyUsageError } from '../errors'
import { isJsonType, isUtf8, parseMediaType } from '../fingerprint/media-type'

/** What a body parser left: what it made of the body, and the bytes, where it was told to keep them. */
export type Parsed = {
  body?: unknown
  rawBody?: unknown
  /** Express's parsers say with it that they made `body`, of whatever was sent. */
  _body?: unknown
}

/** What a body parser such as Express's may have left. */
export type Incoming = IncomingMessage & Parsed & { originalUrl?: string }

/**
 * The request as the Web knows it, without a signal. Throws IdempotencyUsageError when its body is no longer to be had.
 * `parsed` is where the framework leaves what its parsers made.
 */
export function toRequest(incoming: Incoming, parsed: Parsed = incoming): Request {
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
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const body = hasBody ? bodyOf(incoming, parsed, headers) : null
  return new Request(url, { method, headers, body, ...{ duplex: 'half' } })
}

/** The body as it was sent, or as its parser left it; the headers are made true of that. */
function bodyOf(incoming: Incoming, parsed: Parsed, headers: Headers): BodyInit | null {
  // Express 4 sets a body of `{}` on what its parsers did not read: only what was read has to be looked for elsewhere.
  if (!incoming.readableDidRead)
    return incoming.readableEnded ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>)
  const bytes = readBytes(parsed, headers)
  // A parser has inflated what it read.
  if (bytes.byteLength !== contentLength(headers)) headers.delete('content-encoding')
  headers.delete('content-length')
  headers.delete('transfer-encoding')
  return bytes
}

export function readBytes({ rawBody, body, _body }: Parsed, headers: Headers): Uint8Array<ArrayBuffer> {
  const seen = rawBody ?? body
  if (seen instanceof Uint8Array) return Uint8Array.from(seen)
  const type = parseMediaType(headers.get('content-type'))
  if (typeof seen === 'string') {
    const bytes = encode(seen)
    // From a parser, a string under JSON is the document's text, or the string that the document was: its length tells.
    const isText = seen === rawBody || !isJsonType(type) || bytes.byteLength === contentLength(headers)
    if (!isText) throw unseenBody(headers)
    return bytes
  }
  // JSON is compared by its meaning, so writing it again changes nothing. What any other parser made of a body (a form,
  // an upload) does not say what was sent.
  if (body === undefined || !isJsonType(type) || (_body !== true && isLeftEmpty(body, headers)))
    throw unseenBody(headers)
  return encode(
    JSON.stringify(body, function (this: Record<string, unknown>, name: string) {
      if (!isKeptByJson(this[name])) throw unseenBody(headers)
      return this[name]
    }),
  )

  /** U+FFFD may stand for any bytes that were not text. */
  function encode(text: string): Uint8Array<ArrayBuffer> {
    if (text.includes('\ufffd')) throw unseenBody(headers)
    if (!isUtf8(type)) headers.set('content-type', withUtf8(headers.get('content-type') ?? ''))
    return new TextEncoder().encode(text)
  }
}

const contentLength = (headers: Headers): number => Number(headers.get('content-length'))

/**
 * Express 4 and Koa set `{}` on what their parsers did not read. Somebody did, and what was sent is `{}` only where its length
 * says so: of a body in chunks, or in a coding, nothing does.
 */
const isLeftEmpty = (body: unknown, headers: Headers): boolean =>
  typeof body === 'object' &&
  body !== null &&
  !Array.isArray(body) &&
  Object.keys(body).length === 0 &&
  (headers.has('content-encoding') ||
    !headers.has('content-length') ||
    contentLength(headers) >= '{"":0}'.length)

/** What JSON says, and nothing that a parser may have lost digits of. */
function isKeptByJson(value: unknown): boolean {
  if (typeof value === 'number')
    return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  if (typeof value !== 'object' || value === null)
    return ['string', 'boolean', 'object'].includes(typeof value)
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

const withUtf8 = (type: string): string => type.replace(/(;\s*charset\s*=\s*)("[^"]*"|[^;]*)/i, '$1utf-8')

const unseenBody = (headers: Headers) =>
  new IdempotencyUsageError(
    `the body (${headers.get('content-type') ?? 'without a type'}) was read before this handler and cannot be compared ` +
      'as it was sent: mount the handler before the body parser, or let the parser keep the bytes as rawBody, e.g. ' +
      "express.json({ verify: keepRawBody }), fastify.addHook('preParsing', keepRawBody), " +
      'NestFactory.create(AppModule, { rawBody: true })',
  )
