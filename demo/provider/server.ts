import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ZodError } from 'zod'
import { systemClock } from '../clock'
import { type Answer, answer, type Call } from './answer'
import { apiVersion } from './api-version'
import type { Provider } from './context'
import { type Control, createControl, runControl } from './control'
import { invalid, StripeFailure } from './failures'
import { keyLengthMax } from './idempotency'
import { openJournal } from './journal'
import { State } from './state'
import { Switches } from './switches'

export interface ProviderOptions {
  /** 0 = a free port. */
  readonly port: number
  readonly dataDir: string
  /** Reads only; a write with it is answered 403, like a restricted key's. */
  readonly readKey: string
  readonly writeKey: string
  readonly seed: string
  /** Epoch ms; the ambient clock by default. */
  readonly clock?: () => number
  /** How long an answer is kept for its key. Default 24 h. */
  readonly idempotencyWindowMs?: number
}

export interface RunningProvider {
  readonly url: string
  readonly port: number
  readonly control: Control
  close(): Promise<void>
}

const bodyBytesMax = 256 * 1024
const windowMsDefault = 24 * 60 * 60 * 1000

/** A server that speaks Stripe's API for payment intents, charges, refunds and events, kept in one file. */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const idempotencyWindowMs = options.idempotencyWindowMs ?? windowMsDefault
  const state = new State(idempotencyWindowMs)
  const journal = await openJournal(join(options.dataDir, 'provider.ndjson'), (change) => state.apply(change))
  let last: Promise<unknown> = Promise.resolve()
  const switches = new Switches()
  const ambient = options.clock ?? systemClock.nowMs
  const provider: Provider = {
    state,
    journal,
    switches,
    seed: options.seed,
    nowMs: () => switches.now(ambient()),
    idempotencyWindowMs,
    exclusive(work) {
      const result = last.then(work)
      // Whoever asked for it hears of it; the next one takes its turn all the same.
      last = result.catch(() => undefined)
      return result
    },
  }
  const control = createControl(provider)
  const keysInUse = new Set<string>()
  const server = createServer((request, response) => {
    void serve(provider, control, keysInUse, options, request, response)
  })
  const port = await listen(server, options.port)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    control,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      await last
      await journal.close()
    },
  }
}

async function serve(
  provider: Provider,
  control: Control,
  keysInUse: Set<string>,
  keys: { readKey: string; writeKey: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = `req_${randomBytes(8).toString('hex')}`
  const idempotencyKey = request.headers['idempotency-key']
  const keyHeader = typeof idempotencyKey === 'string' ? { 'idempotency-key': idempotencyKey } : {}
  const send = (sent: Answer) => {
    response.writeHead(sent.status, {
      'content-type': 'application/json',
      date: new Date(provider.nowMs()).toUTCString(),
      'request-id': requestId,
      'stripe-version': apiVersion,
      ...keyHeader,
      ...sent.headers,
    })
    response.end(sent.body)
  }
  try {
    const { pathname, search } = new URL(request.url ?? '/', 'http://provider')
    if (pathname === '/healthz') return send({ status: 200, body: '{"ok":true}', headers: {} })
    const mayWrite = authorize(request.headers.authorization, keys)
    const body = await readBody(request)
    if (request.method === 'POST' && pathname === '/_demo/control') {
      if (!mayWrite) throw new StripeFailure(403, 'invalid_request_error', 'Needs the write key.')
      await runControl(control, body)
      return send({ status: 200, body: '{}', headers: {} })
    }
    const call: Call = {
      method: request.method ?? 'GET',
      pathname,
      encoded: request.method === 'GET' ? search.slice(1) : body,
      idempotencyKey: checkKey(idempotencyKey),
      requestId,
      mayWrite,
      apiVersion: versionOf(request.headers['stripe-version']),
    }
    send(await answer(provider, keysInUse, call))
  } catch (error) {
    const failure = asFailure(error)
    send({ status: failure.status, body: failure.body, headers: failure.headers })
  }
}

/** Whether the key may write; 401 for a key that is neither. */
function authorize(header: string | undefined, keys: { readKey: string; writeKey: string }): boolean {
  const sent = header?.startsWith('Bearer ') === true ? header.slice('Bearer '.length) : ''
  if (sameSecret(sent, keys.writeKey)) return true
  if (sameSecret(sent, keys.readKey)) return false
  throw new StripeFailure(401, 'invalid_request_error', 'Invalid API Key provided.')
}

function sameSecret(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

const versionOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' ? header : apiVersion

function checkKey(key: string | string[] | undefined): string | undefined {
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key.length === 0 || key.length > keyLengthMax) {
    throw invalid(`Idempotency keys must be 1 to ${keyLengthMax} characters long.`)
  }
  return key
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax)
      throw new StripeFailure(413, 'invalid_request_error', 'The request is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function asFailure(error: unknown): StripeFailure {
  if (error instanceof StripeFailure) return error
  if (error instanceof ZodError || error instanceof SyntaxError) return invalid(error.message)
  console.error('provider:', error)
  return new StripeFailure(500, 'api_error', 'An unknown error occurred.')
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
