import { createHash } from 'node:crypto'
import http from 'node:http'
import pg from 'pg'
import { pino } from 'pino'
import { createPostgresStore } from '@/sdk/stores/postgres'

// A proxy as one writes it by hand, as a process: `URL [DATABASE_URL [sdk]]`. It logs each request, says from where it came, and no
// more: no routes, limits, deadlines, metrics or traces. With a database it notes each request before it is sent and its answer
// after, by one statement each, with no checks at all; with `sdk`, by acquire and complete of the SDK's store.

const [upstream = '', database, by] = process.argv.slice(2)
const target = new URL(upstream)
const agent = new http.Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 512, scheduling: 'lifo' })
const pool = database === undefined ? null : new pg.Pool({ connectionString: database, max: 10 })
pool?.on('error', () => {})

const log = pino(
  { timestamp: pino.stdTimeFunctions.isoTime },
  pino.destination({ dest: 1, sync: false, minLength: 16_384, maxWrite: 65_536, periodicFlush: 200 }),
)

function send(
  incoming: http.IncomingMessage,
  answered: (answer: http.IncomingMessage) => void,
): http.ClientRequest {
  const { method, url: path } = incoming
  const headers = { ...incoming.headers, 'x-forwarded-for': incoming.socket.remoteAddress, via: '1.1 bare' }
  const request = http.request(
    { agent, host: target.hostname, port: target.port, method, path, headers },
    answered,
  )
  request.on('error', () => incoming.destroy())
  return request
}

function stream(incoming: http.IncomingMessage, outgoing: http.ServerResponse): void {
  const request = send(incoming, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  incoming.pipe(request)
}

async function noted(
  notes: Notes,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): Promise<void> {
  const body = await readAll(incoming)
  const end = await notes.begin(String(incoming.headers['idempotency-key']), body)
  const request = send(incoming, async (answer) => {
    const answered = await readAll(answer)
    await end(answer, answered)
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    outgoing.end(answered)
  })
  request.end(body)
}

type Notes = {
  begin(key: string, body: Buffer): Promise<(answer: http.IncomingMessage, body: Buffer) => Promise<unknown>>
}

const SCOPE = 'web/POST /v1/payments'

const byStatements = (pool: pg.Pool): Notes => ({
  async begin(key, body) {
    await pool.query({
      name: 'begin',
      text: "INSERT INTO bare (scope, key, state, fingerprint, owner) VALUES ($1, $2, 'L', $3, 'bare')",
      values: [SCOPE, key, body.subarray(0, 16)],
    })
    return ({ statusCode, headers }, answered) =>
      pool.query({
        name: 'end',
        text: `UPDATE bare SET state = 'C', status = $3, headers = $4, body = $5, expires_at = now() + interval '1 hour'
               WHERE scope = $1 AND key = $2`,
        values: [SCOPE, key, statusCode, JSON.stringify(headers), answered],
      })
  },
})

async function bySdk(pool: pg.Pool): Promise<Notes> {
  const store = createPostgresStore({ pool })
  await store.migrate()
  await store.registerTier('default', 3_600_000)
  return {
    async begin(key, body) {
      const fingerprint = createHash('sha256').update(body).digest().subarray(0, 16)
      const owner = 'bare'
      const request = {
        scope: SCOPE,
        key,
        tier: 'default',
        fingerprint,
        owner,
        leaseMs: 10_000,
        traceId: null,
      }
      const acquired = await store.acquire(request)
      if (acquired.kind !== 'acquired') throw new Error(acquired.kind)
      return ({ statusCode = 0, headers }, answered) =>
        store.complete(
          { ...request, fence: acquired.fence },
          { status: statusCode, headers: [['content-type', headers['content-type'] ?? '']], body: answered },
        )
    },
  }
}

const notes = pool === null ? null : by === 'sdk' ? await bySdk(pool) : byStatements(pool)

async function readAll(source: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const server = http.createServer((incoming, outgoing) => {
  const startedMs = performance.now()
  outgoing.on('finish', () => {
    const { method, url: path, socket } = incoming
    const { statusCode: status } = outgoing
    log.info(
      { method, path, status, client: socket.remoteAddress, durationMs: performance.now() - startedMs },
      'request',
    )
  })
  void (notes === null ? stream(incoming, outgoing) : noted(notes, incoming, outgoing))
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address !== 'string')
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`)
})
