import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { bearerMatches } from '@/lib/access/bearer'
import { cameThroughProxy } from '@/lib/access/sign-in/client-address'
import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import type { Log } from '@/lib/log'
import { createTrouble } from '@/lib/runs/trouble'
import {
  CONTENT_TYPE,
  type Encoding,
  encodeAnswer,
  encodeStatus,
  type Signal,
} from '@/lib/telemetry/decode/answer'
import { countDataPoints } from '@/lib/telemetry/decode/metric-points'
import { MalformedError } from '@/lib/telemetry/decode/span'
import { SIGNAL_OF_PATH } from '@/lib/telemetry/ingest/read-request'
import { createAnnouncer } from './announce'
import { ByteBudget } from './budget'
import { Committer, type Outcome } from './committer'
import { readBody } from './read-body'
import { busy, Refusal } from './refusal'

export type ReceiverOptions = {
  db: Db
  clock: Clock
  log: Log
  /** hashes a raw key, for senders that know no key hash */
  hash: (key: string) => string
  /** bearer token; undefined = none is asked for */
  token?: string | undefined
  memoryBytesMax: number
}

export type Receiver = {
  server: Server
  stats(): {
    requests: number
    spans: number
    refused: number
    heldBytes: number
    trouble?: string | undefined
  }
  /** Answers 503 from now on, finishes what was accepted, within `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}

const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 10_000
const CONNECTIONS_MAX = 1_024

/** OTLP/HTTP on bare node:http: traces and logs; metrics are taken and dropped. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { log } = options
  const counts = { requests: 0, spans: 0, refused: 0 }
  const budget = new ByteBudget(options.memoryBytesMax)
  const announcer = createAnnouncer(options.db, log)
  let closing = false
  const trouble = createTrouble(options.clock)
  const committer = new Committer({
    ...options,
    trouble,
    onCommit: (spans) => {
      counts.spans += spans
      announcer.announce()
    },
  })

  const take: Take = async (request, signal, encoding) => {
    if (closing) throw busy('The receiver is shutting down.')
    const address = request.socket.remoteAddress ?? ''
    const share = budget.open(address)
    try {
      const bytes = await readBody(request, share)
      if (signal === 'metrics') return dropMetrics(bytes, encoding)
      const sender = { address, connection: request.socket }
      return answer(await committer.submit({ sender, bytes, signal, encoding }), signal, encoding)
    } finally {
      share.release()
    }
  }

  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      counts.requests += 1
      if (request.url === '/healthz' && request.method === 'GET') {
        write(response, 200, 'application/json', Buffer.from('{"status":"ok"}'))
        return
      }
      const encoding = encodingOf(request)
      route(request, options.token, encoding, take).then(
        (body) => write(response, 200, CONTENT_TYPE[encoding ?? 'json'], body),
        (error: unknown) => {
          counts.refused += 1
          refuse(request, response, encoding ?? 'json', error, log)
        },
      )
    },
  )
  server.maxConnections = CONNECTIONS_MAX

  return {
    server,
    stats: () => ({ ...counts, heldBytes: budget.usedBytes, trouble: trouble.recent() }),
    async close(timeoutMs) {
      closing = true
      await closeServer(server, committer, timeoutMs)
      announcer.stop()
    },
  }
}

/** Accepted bodies are committed first, then their answers go out; connections that are idle by then are closed. */
async function closeServer(server: Server, committer: Committer, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  const finished = committer.drain().then(() => {
    setImmediate(() => server.closeIdleConnections())
    return closed
  })
  await Promise.race([finished, timeout])
  clearTimeout(timer)
  server.closeAllConnections()
}

/** The type of the answer is the request's; null = a type that OTLP does not have. */
function encodingOf(request: IncomingMessage): Encoding | null {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type === CONTENT_TYPE.protobuf) return 'protobuf'
  return type === CONTENT_TYPE.json ? 'json' : null
}

/** Reads, stores and answers; throws Refusal. */
type Take = (request: IncomingMessage, signal: Signal | 'metrics', encoding: Encoding) => Promise<Buffer>

async function route(
  request: IncomingMessage,
  token: string | undefined,
  encoding: Encoding | null,
  take: Take,
): Promise<Buffer> {
  // A browser names its page: telemetry comes from services, and a page must not write here.
  if (request.headers.origin !== undefined) throw new Refusal(403, 'Requests from a browser are refused.')
  const path = (request.url ?? '').split('?', 1)[0]
  const signal = path === '/v1/metrics' ? 'metrics' : SIGNAL_OF_PATH.get(path ?? '')
  if (signal === undefined)
    throw new Refusal(404, 'Only /v1/traces, /v1/logs and /v1/metrics are served here.')
  if (request.method !== 'POST') throw new Refusal(405, 'Use POST.', { allow: 'POST' })
  assertSender(request, token)
  if (encoding === null) throw new Refusal(415, 'Send application/x-protobuf or application/json.')
  return take(request, signal, encoding)
}

/** Without a token only programs of this machine send: what a proxy passes on may come from anywhere. */
function assertSender({ headers }: IncomingMessage, token: string | undefined): void {
  const why =
    token === undefined
      ? cameThroughProxy(headers) && 'Set IDEMSCOPE_OTLP_TOKEN: what comes through a proxy needs it.'
      : !bearerMatches(headers.authorization, token) && 'A valid bearer token is required.'
  if (why) throw new Refusal(401, why, { 'www-authenticate': 'Bearer' })
}

const METRICS_DROPPED =
  'data point(s) dropped: metrics are not collected here, send traces and logs (OTEL_METRICS_EXPORTER=none)'

/** Exporters send metrics by default: a refusal would be an error in their log at every export. */
function dropMetrics(bytes: Buffer, encoding: Encoding): Buffer {
  try {
    const points = countDataPoints(bytes, encoding)
    return encodeAnswer(encoding, new Map(points === 0 ? [] : [[METRICS_DROPPED, points]]), 'metrics')
  } catch (error) {
    if (error instanceof MalformedError) throw malformed(error.message)
    throw error
  }
}

const malformed = (message: string) => new Refusal(400, `The body is malformed: ${message}.`)

function answer(outcome: Outcome, signal: Signal, encoding: Encoding): Buffer {
  switch (outcome.kind) {
    case 'stored':
      return encodeAnswer(encoding, outcome.rejections, signal)
    case 'malformed':
      throw malformed(outcome.message)
    case 'unavailable':
      throw busy('The database did not take it; try again.')
    case 'failed':
      throw new Refusal(500, 'It could not be stored; the fault was logged.')
  }
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  encoding: Encoding,
  error: unknown,
  log: Log,
): void {
  if (request.destroyed && !request.complete) return
  const refusal =
    error instanceof Refusal ? error : new Refusal(500, 'Something broke; the fault was logged.')
  if (error !== refusal) log.error({ err: error }, 'a request failed')
  else log.debug({ status: refusal.status, reason: refusal.message }, 'refused')
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value)
  // What is left of the body is not worth reading: the connection goes with it.
  if (!request.complete) response.setHeader('connection', 'close')
  write(
    response,
    refusal.status,
    CONTENT_TYPE[encoding],
    encodeStatus(encoding, refusal.code, refusal.message),
  )
}

function write(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length })
  response.end(body)
}
