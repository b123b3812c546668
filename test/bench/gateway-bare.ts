import http from 'node:http'
import pg from 'pg'
import { pino } from 'pino'

// A proxy as one writes it by hand, as a process: `URL [DATABASE_URL]`. It logs each request, says from where it came, and no
// more: no routes, limits, deadlines, metrics or traces. With a database it notes each request before it is sent and its answer
// after, by one statement each, with no checks at all.

const [upstream = '', database] = process.argv.slice(2)
const target = new URL(upstream)
const agent = new http.Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 512, scheduling: 'lifo' })
const pool = database === undefined ? null : new pg.Pool({ connectionString: database, max: 10 })
pool?.on('error', () => {})

const log = pino(
  { timestamp: pino.stdTimeFunctions.isoTime },
  pino.destination({ dest: 1, sync: false, minLength: 16_384, maxWrite: 65_536, periodicFlush: 200 }),
)

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
  void (pool === null ? stream(incoming, outgoing) : noted(pool, incoming, outgoing))
})

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
  store: pg.Pool,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): Promise<void> {
  const body = await readAll(incoming)
  const key = incoming.headers['idempotency-key']
  await store.query({
    name: 'begin',
    text: "INSERT INTO bare (scope, key, state, fingerprint, owner) VALUES ('web/POST /v1/payments', $1, 'L', $2, 'bare')",
    values: [key, body.subarray(0, 16)],
  })
  const request = send(incoming, async (answer) => {
    const answered = await readAll(answer)
    await store.query({
      name: 'end',
      text: `UPDATE bare SET state = 'C', status = $2, headers = $3, body = $4, expires_at = now() + interval '1 hour'
             WHERE scope = 'web/POST /v1/payments' AND key = $1`,
      values: [key, answer.statusCode, JSON.stringify(answer.headers), answered],
    })
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    outgoing.end(answered)
  })
  request.end(body)
}

async function readAll(source: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address !== 'string')
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`)
})
