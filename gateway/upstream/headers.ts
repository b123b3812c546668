import type { IncomingMessage } from 'node:http'

/** Name and value in turn, as node:http has them: order, case and repetition as they came. */
export type RawHeaders = readonly string[]

// RFC 9110, 7.6.1, and what this gateway answers for itself.
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** Requests say these once; a second one is for another reader. */
const ONCE = [
  'host',
  'content-length',
  'content-type',
  'authorization',
  'idempotency-key',
  'transfer-encoding',
  'expect',
]

export function headerValues({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): string[] {
  const wanted = name.toLowerCase()
  return [...pairs(rawHeaders)].filter(([found]) => found.toLowerCase() === wanted).map(([, value]) => value)
}

/** The first header that is there twice though it may not. */
export function findRepeated(rawHeaders: RawHeaders): string | null {
  const seen = new Set<string>()
  for (const [name] of pairs(rawHeaders)) {
    const lower = name.toLowerCase()
    if (!ONCE.includes(lower)) continue
    if (seen.has(lower)) return lower
    seen.add(lower)
  }
  return null
}

export function* pairs(raw: RawHeaders): Generator<[name: string, value: string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at] ?? '', raw[at + 1] ?? '']
}

/** The headers without those of the connection that they came by, as raw pairs. */
export function endToEnd(raw: RawHeaders, alsoDropped: readonly string[] = []): string[] {
  const dropped = new Set([...HOP_BY_HOP, ...alsoDropped])
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() !== 'connection') continue
    // What a client may not have dropped by naming it there.
    for (const named of value.split(',')) {
      const lower = named.trim().toLowerCase()
      if (!KEPT.has(lower)) dropped.add(lower)
    }
  }
  return [...pairs(raw)].filter(([name]) => !dropped.has(name.toLowerCase())).flat()
}

const KEPT = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'authorization',
  'idempotency-key',
])

export type Forwarding = {
  /** What the peer said of those before it is believed. */
  isTrusted: boolean
  host: string
  /** Of the upstream; null = the client's is kept. */
  upstreamHost: string | null
}

/** Said anew by the gateway, or by it alone. */
const WRITTEN = ['host', 'via', 'content-length', 'expect', 'idempotency-attempt', 'idempotency-fence']
const FORWARDED = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']
/** What a client could say of itself. */
const SAID_BY_PROXIES = ['forwarded', 'x-forwarded-port', 'x-real-ip']

/** The headers of a request as its upstream gets them, without its length. */
export function requestHeaders(
  incoming: Pick<IncomingMessage, 'rawHeaders' | 'httpVersion' | 'socket'>,
  { isTrusted, host, upstreamHost }: Forwarding,
): string[] {
  const before = (name: string) => (isTrusted ? headerValues(incoming, name) : [])
  const encrypted = 'encrypted' in incoming.socket && incoming.socket.encrypted === true
  const via = [...headerValues(incoming, 'via'), `${incoming.httpVersion} idemscope-gateway`]
  return [
    ...['Host', upstreamHost ?? host],
    ...endToEnd(incoming.rawHeaders, [...WRITTEN, ...FORWARDED, ...(isTrusted ? [] : SAID_BY_PROXIES)]),
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
  return [...endToEnd(rawHeaders, ['via']), 'Via', via.join(', ')]
}
