import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resources, tracing } from '@opentelemetry/sdk-node'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RECEIVER_ARGS } from '@/jobs/receiver/node-args'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@/jobs/supervisor/embedded/postgres'
import { systemClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { applyMigrations } from '@/prisma/engine'
import { makeThrowAwayFolder } from '../support/throw-away-folder'
import { wholeOrSample } from '../support/whole-or-sample'
import { Random } from './random'
import { hash } from './spans'

const EXPORTERS = 3
const BATCHES = wholeOrSample(30, 12)
const BATCH_SPANS = 24
/** Every third is a keyed request with its effect; the rest is plain. */
const KEYED_EVERY = 3

let folder: string
let postgres: EmbeddedPostgres
/** In front of the database and of the receiver: these ports stay, whoever is started again behind them. */
let toDatabase: Server
let toReceiver: Server
let receiver: ChildProcess
let receiverPort = 0
let ending = false

const portOf = (server: Server) => (server.address() as { port: number }).port
const databaseUrl = () => {
  const url = new URL(postgres.url('durable'))
  url.port = String(portOf(toDatabase))
  return url.href
}

async function proxyTo(port: () => number): Promise<Server> {
  const proxy = createServer((client) => {
    const server = connect(port(), '127.0.0.1')
    client.pipe(server).pipe(client)
    for (const socket of [client, server])
      socket.on('error', () => {
        client.destroy()
        server.destroy()
      })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return proxy
}

beforeAll(async () => {
  folder = makeThrowAwayFolder('durable')
  // Durable as `npm start` has it: what COMMIT promised must survive kill -9.
  postgres = await startEmbeddedPostgres(folder)
  const admin = new pg.Client({ connectionString: postgres.url('postgres') })
  await admin.connect()
  await admin.query('CREATE DATABASE durable')
  await admin.end()
  await applyMigrations(postgres.url('durable'))
  toDatabase = await proxyTo(() => postgres.port)
  toReceiver = await proxyTo(() => receiverPort)
  await startReceiver()
})

afterAll(async () => {
  ending = true
  receiver.kill('SIGKILL')
  toDatabase.close()
  toReceiver.close()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Started again whenever it ends, as the supervisor does. */
async function startReceiver(): Promise<void> {
  receiverPort = await freePort()
  receiver = spawn(process.execPath, RECEIVER_ARGS, {
    env: {
      NODE_ENV: 'production',
      PATH: process.env.PATH ?? '',
      DATABASE_URL: databaseUrl(),
      OTLP_PORT: String(receiverPort),
      IDEMSCOPE_KEY_SECRET: 'k'.repeat(32),
      IDEMSCOPE_LOG_LEVEL: 'error',
    },
    stdio: 'ignore',
  })
  receiver.once('exit', () => {
    if (!ending) void startReceiver()
  })
}

const kills = {
  receiver: async () => {
    receiver.kill('SIGKILL')
  },
  backend: async () => {
    const admin = new pg.Client({ connectionString: postgres.url('durable') })
    admin.on('error', () => undefined)
    await admin.connect()
    const { rows } = await admin
      .query("SELECT pid FROM pg_stat_activity WHERE datname = 'durable' AND pid <> pg_backend_pid() LIMIT 1")
      .catch(() => ({ rows: [] }))
    await admin.end().catch(() => undefined)
    if (rows[0]) process.kill(rows[0].pid, 'SIGKILL')
  },
  server: async () => {
    process.kill(postgres.pid, 'SIGKILL')
    await postgres.exited
    postgres = await startEmbeddedPostgres(folder)
  },
}
const PLAN = wholeOrSample<(keyof typeof kills)[]>(
  ['receiver', 'backend', 'server', 'receiver', 'server', 'backend', 'receiver'],
  ['receiver', 'backend', 'server'],
)

/** An exporter of the OpenTelemetry SDK that sends a batch until it is acknowledged. */
async function sendAll(
  index: number,
  random: Random,
  acknowledged: (spans: number) => Promise<void>,
): Promise<void> {
  const memory = new tracing.InMemorySpanExporter()
  const provider = new tracing.BasicTracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': `sender-${index}`, 'service.version': '1' }),
    spanProcessors: [new tracing.SimpleSpanProcessor(memory)],
  })
  const tracer = provider.getTracer('durability')
  const exporter = new OTLPTraceExporter({
    url: `http://127.0.0.1:${portOf(toReceiver)}/v1/traces`,
    timeoutMillis: 5_000,
  })
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let each = 0; each < BATCH_SPANS; each++) {
      const key = `${index}/${batch}/${each}`
      if (each % KEYED_EVERY === 0) request(tracer, key)
      else if (each % KEYED_EVERY === 1) effect(tracer, `${index}/${batch}/${each - 1}`)
      else tracer.startSpan('internal').end()
    }
    const spans = random.shuffle(memory.getFinishedSpans())
    memory.reset()
    while (!(await exportOnce(exporter, spans))) await new Promise((resolve) => setTimeout(resolve, 50))
    await acknowledged(spans.length)
  }
  await exporter.shutdown()
}

type Tracer = ReturnType<tracing.BasicTracerProvider['getTracer']>
const SERVER = 1
const CLIENT = 2

function request(tracer: Tracer, key: string): void {
  const attributes = {
    'idempotency.scope.name': 'web/POST /v1/payments',
    'idempotency.key.hash': hash(key),
    'idempotency.outcome': 'executed',
    'idempotency.record.state': 'completed',
  }
  tracer.startSpan('POST /v1/payments', { kind: SERVER, attributes }).end()
}

function effect(tracer: Tracer, key: string): void {
  const attributes = {
    'idempotency.scope.name': 'web/POST /v1/payments',
    'idempotency.effect.name': 'stripe.charge',
    'idempotency.effect.step': 'charge',
    'idempotency.effect.id': `ch_${key}`,
    'idempotency.effect.key.hash': hash(key),
    'idempotency.effect.outcome': 'committed',
  }
  tracer.startSpan('charge', { kind: CLIENT, attributes }).end()
}

function exportOnce(exporter: OTLPTraceExporter, spans: tracing.ReadableSpan[]): Promise<boolean> {
  return new Promise((resolve) => exporter.export(spans, ({ code }) => resolve(code === 0)))
}

it('receiver and PostgreSQL killed at any moment: every acknowledged span once, every count exact', async () => {
  const random = new Random(4)
  let acknowledged = 0
  let next = 0
  let killing: Promise<void> | undefined
  const total = EXPORTERS * BATCHES * BATCH_SPANS
  const killedAt = PLAN.map((_, index) => Math.floor((total * (index + 1)) / (PLAN.length + 1)))
  const onAcknowledged = async (spans: number) => {
    acknowledged += spans
    const kind = PLAN[next]
    if (kind === undefined || acknowledged < (killedAt[next] ?? 0) || killing !== undefined) return
    next += 1
    // The others go on sending: the blow falls in the middle of their requests.
    killing = kills[kind]().finally(() => {
      killing = undefined
    })
  }
  await Promise.all(Array.from({ length: EXPORTERS }, (_, index) => sendAll(index, random, onAcknowledged)))
  await killing
  expect([acknowledged, next]).toEqual([total, PLAN.length])

  const db = openDatabase(postgres.url('durable'), 2)
  try {
    await expect
      .poll(
        () =>
          db.pool.query('SELECT 1').then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true)
    await rollUpDirtyMinutes(db, systemClock, { limit: 1000 })
    const count = async (sql: string) => Number((await db.pool.query(`SELECT (${sql}) AS n`)).rows[0].n)
    const keyed = total / KEYED_EVERY
    expect({
      spans: await count('SELECT count(*) FROM telemetry.span'),
      distinct: await count('SELECT count(DISTINCT (trace_id, span_id)) FROM telemetry.span'),
      arrived: await count('SELECT sum(spans) FROM telemetry.minute_intake'),
      keyedRequests: await count('SELECT count(*) FROM telemetry.keyed_request WHERE key_hash IS NOT NULL'),
      requests: await count("SELECT sum(requests) FROM telemetry.minute_request WHERE outcome = 'executed'"),
      effects: await count('SELECT sum(committed) FROM telemetry.minute_effect'),
      duplicates: await count('SELECT sum(duplicates) FROM telemetry.minute_effect'),
      dirty: await count('SELECT count(*) FROM telemetry.dirty_minute'),
    }).toEqual({
      spans: total,
      distinct: total,
      arrived: total,
      keyedRequests: keyed,
      requests: keyed,
      effects: keyed,
      duplicates: 0,
      dirty: 0,
    })
  } finally {
    await closeDatabase(db)
  }
}, 240_000)
