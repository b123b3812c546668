import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { GatewayConfig } from './config/schema'
import { type GatewayProblem, gatewayProblem } from './problem'

export type Serve = (incoming: IncomingMessage, outgoing: ServerResponse, expectsContinue: boolean) => void

/** The public side. What is no valid HTTP is refused before anybody sees it. */
export function createPublicServer({ limits }: GatewayConfig, serve: Serve): Server {
  const server = createServer({
    maxHeaderSize: limits.headers,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAlive,
    // A timeout is seen at most so late.
    connectionsCheckingInterval: Math.max(100, Math.min(limits.headersTimeout, limits.requestTimeout) / 4),
    insecureHTTPParser: false,
    // Refused by us, with a problem.
    requireHostHeader: false,
  })
  const unanswered = new WeakMap<Duplex, Set<Unanswered>>()
  // Node sees to it that a timeout means: not a byte was read or taken meanwhile.
  server.timeout = limits.writeTimeout
  server.on('timeout', (socket) => {
    const isKept = unanswered.get(socket)?.size === 0
    // An answer that nobody takes holds its buffers and the upstream's connection; one that is still to come holds nothing up.
    if (isKept || socket.writableLength > 0) socket.destroy()
  })
  const take = (incoming: IncomingMessage, outgoing: ServerResponse, expectsContinue: boolean) => {
    const ofSocket = unanswered.get(incoming.socket) ?? new Set()
    unanswered.set(incoming.socket, ofSocket)
    const one = { incoming, outgoing }
    ofSocket.add(one)
    outgoing.once('close', () => ofSocket.delete(one))
    serve(incoming, outgoing, expectsContinue)
  }
  server.on('request', (incoming, outgoing) => take(incoming, outgoing, false))
  server.on('checkContinue', (incoming, outgoing) => take(incoming, outgoing, true))
  server.on('checkExpectation', (_, outgoing) => writeProblem(outgoing, 'expectation'))
  server.on('connect', (_, socket) => refuse(socket, 'methodNotAllowed'))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const isReset = error.code === 'ECONNRESET' || !socket.writable
    if (isReset || isForAnother(unanswered.get(socket))) socket.destroy()
    else refuse(socket, PROBLEMS[error.code ?? ''] ?? 'malformedRequest')
  })
  return server
}

type Unanswered = { incoming: IncomingMessage; outgoing: ServerResponse }

/** Behind a request that is whole, the answer to what follows would be taken for its own: then there is none. */
function isForAnother(unanswered: ReadonlySet<Unanswered> = new Set()): boolean {
  const [first, ...more] = unanswered
  if (first === undefined) return false
  return more.length > 0 || first.incoming.complete || first.outgoing.headersSent
}

const PROBLEMS: Record<string, GatewayProblem> = {
  HPE_HEADER_OVERFLOW: 'headersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'requestTimeout',
}

async function writeProblem(outgoing: ServerResponse, name: GatewayProblem): Promise<void> {
  const problem = gatewayProblem(name)
  outgoing.writeHead(problem.status, { ...Object.fromEntries(problem.headers), connection: 'close' })
  outgoing.end(await problem.text())
}

/** Without a request there is no response: the answer is written by hand, and nothing more is read. */
async function refuse(socket: Duplex, name: GatewayProblem): Promise<void> {
  const problem = gatewayProblem(name)
  const body = await problem.text()
  const headers = [...problem.headers].map(([header, value]) => `${header}: ${value}`)
  if (socket.destroyed || !socket.writable) return
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      ...headers,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

export type AdminHandlers = {
  /** What is missing; null = ready. */
  notReady(): string | null
  metrics(incoming: IncomingMessage, outgoing: ServerResponse): void
}

/** The operator's side, on a port of its own. */
export function createAdminServer({ notReady, metrics }: AdminHandlers): Server {
  const text = (outgoing: ServerResponse, status: number, body: string) => {
    outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    outgoing.end(`${body}\n`)
  }
  return createServer((incoming, outgoing) => {
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') return text(outgoing, 405, 'only GET')
    switch (incoming.url) {
      case '/healthz':
        return text(outgoing, 200, 'ok')
      case '/readyz': {
        const missing = notReady()
        return text(outgoing, missing === null ? 200 : 503, missing ?? 'ready')
      }
      case '/metrics':
        return metrics(incoming, outgoing)
      default:
        return text(outgoing, 404, 'not found: /healthz, /readyz and /metrics are here')
    }
  })
}

/** Resolves to the port once it listens. */
export const listen = (server: Server, { host, port }: { host: string; port: number }): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
