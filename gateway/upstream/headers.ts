import type { IncomingMessage } from 'node:http'

/** Name and value in turn, as node:http has them: order, case and repetition as they came. */
export type RawHeaders = readonly string[]

// RFC 9110, 7.6.1, and what this gateway answers for itself.
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Requests say these once; a second one is for another reader. */
const ONCE = new Set([
  'host',
  'content-length',
  'content-type',
  'authorization',
  'idempotency-key',
  'transfer-encoding',
  'expect',
])

export function headerValues({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): string[] {
  const wanted = name.toLowerCase()
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (lowerAt(rawHeaders, at) === wanted) values.push(rawHeaders[at + 1] ?? '')
  }
  return values
}

/** The first header that is there twice though it may not. */
export function findRepeated(rawHeaders: RawHeaders): string | null {
  const seen = new Set<string>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const lower = lowerAt(rawHeaders, at)
    if (!ONCE.has(lower)) continue
    if (seen.has(lower)) return lower
    seen.add(lower)
  }
  return null
}

/** Beside RFC 9110's, those that the message names as of its connection; but none that another reader needs. */
function namedByConnection(raw: RawHeaders): string[] {
  const values = headerValues({ rawHeaders: raw as string[] }, 'connection')
  if (values.length === 0) return values
  return values
    .flatMap((value) => value.toLowerCase().split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !ONCE.has(name) && name !== 'content-encoding')
}

/** The headers without those of the connection that they came by, and without those that are dropped, as raw pairs. */
export function endToEnd(raw: RawHeaders, isDropped: (lower: string) => boolean): string[] {
  const named = namedByConnection(raw)
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const lower = lowerAt(raw, at)
    if (HOP_BY_HOP.has(lower) || isDropped(lower) || named.includes(lower)) continue
    kept.push(raw[at] ?? '', raw[at + 1] ?? '')
  }
  return kept
}

const lowerAt = (raw: RawHeaders, at: number): string => (raw[at] ?? '').toLowerCase()

export type Forwarding = {
  /** What the peer said of those before it is believed. */
  isTrusted: boolean
  host: string
  /** Of the upstream; null = the client's is kept. */
  upstreamHost: string | null
  callerHeaders: CallerHeaders
}

/** By which a proxy says who makes a request: in small letters, and as services may read them. */
export type CallerHeaders = { names: ReadonlySet<string>; asRead: ReadonlySet<string> }

/** Said anew by the gateway, or by it alone. */
const WRITTEN = new Set([
  ...['host', 'via', 'content-length', 'expect', 'idempotency-attempt', 'idempotency-fence'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
])
/** What a client could say of itself. */
const SAID_BY_PROXIES = new Set(['forwarded', 'x-forwarded-port', 'x-real-ip'])
const GUARDED = new Set([...HOP_BY_HOP, ...ONCE, ...WRITTEN, ...SAID_BY_PROXIES])

/** WSGI, PHP and CGI read `Idempotency_Fence` as `Idempotency-Fence`. */
const asServicesRead = (lower: string) => lower.replace(/[^a-z0-9]/g, '-')

export function toCallerHeaders(names: readonly string[]): CallerHeaders {
  const lower = names.map((name) => name.toLowerCase())
  return { names: new Set(lower), asRead: new Set(lower.map(asServicesRead)) }
}

function isDroppedOfRequest({ isTrusted, callerHeaders }: Forwarding): (lower: string) => boolean {
  return (lower) => {
    if (WRITTEN.has(lower)) return true
    if (callerHeaders.names.has(lower) || SAID_BY_PROXIES.has(lower)) return !isTrusted
    const read = asServicesRead(lower)
    return (read !== lower && GUARDED.has(read)) || callerHeaders.asRead.has(read)
  }
}

/** The headers of a request as its upstream gets them, without its length. */
export function requestHeaders(
  incoming: Pick<IncomingMessage, 'rawHeaders' | 'httpVersion' | 'socket'>,
  forwarding: Forwarding,
): string[] {
  const { isTrusted, host, upstreamHost } = forwarding
  const before = (name: string) => (isTrusted ? headerValues(incoming, name) : [])
  const encrypted = 'encrypted' in incoming.socket && incoming.socket.encrypted === true
  const via = [...headerValues(incoming, 'via'), `${incoming.httpVersion} idemscope-gateway`]
  return [
    ...['Host', upstreamHost ?? host],
    ...endToEnd(incoming.rawHeaders, isDroppedOfRequest(forwarding)),
    ...['Via', via.join(', ')],
    ...['X-Forwarded-For', [...before('x-forwarded-for'), peerAddress(incoming)].join(', ')],
    ...['X-Forwarded-Host', before('x-forwarded-host')[0] ?? host],
    ...['X-Forwarded-Proto', before('x-forwarded-proto')[0] ?? (encrypted ? 'https' : 'http')],
  ]
}

/** As text; a socket that serves both families names an IPv4 peer by IPv6. */
export const peerAddress = ({ socket }: Pick<IncomingMessage, 'socket'>): string =>
  (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '')

/** The headers of an answer as the client gets them. */
export function answerHeaders({
  rawHeaders,
  httpVersion,
}: Pick<IncomingMessage, 'rawHeaders' | 'httpVersion'>): string[] {
  const via = [...headerValues({ rawHeaders }, 'via'), `${httpVersion} idemscope-gateway`]
  return [...endToEnd(rawHeaders, (name) => name === 'via'), 'Via', via.join(', ')]
}
