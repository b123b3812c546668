import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import pg from 'pg'
import { RECEIVER_ARGS } from '@/jobs/receiver/node-args'
import { systemClock } from '@/lib/core/clock'
import { type BenchCluster, withCluster } from './cluster'
import { copyAgain, emptyTables, prepareBaseline, readBack, type Written } from './copy-baseline'
import { cpuSecondsOf } from './cpu'
import { BATCH_MS, BATCH_SPANS, encodeBatch, type IngestCase } from './otlp-traffic'
import { against, atMost, type Bench, quantile, type Report, stated } from './report'

const EXPORTERS = 4
const SPANS_DEFAULT = 200_000
const P99_MAX_MS = 300
const RECEIVER_MAX_MB = 400
const RATIO_MIN = 0.6
/** Ours and the bare engine by turns, so that a busy machine disturbs both; ratios are medians over the rounds. */
const ROUNDS = 5

/** `--rows` = spans of each case. */
export const bench: Bench = async ({ rows, only }, report) => {
  const batches = Math.max(1, Math.round((rows ?? SPANS_DEFAULT) / BATCH_SPANS / EXPORTERS / ROUNDS))
  for (const name of ['all-keyed', 'third-keyed'] as const) {
    if (only !== undefined && only !== name) continue
    await withCluster((cluster) => runCase(cluster, name, batches, report))
  }
}

type Kind = 'oneStream' | 'inBatches' | 'spansAlone'
type Round = { rate: number; copied: Record<Kind, number>; written: Written; latencies: number[] }

async function runCase(cluster: BenchCluster, name: IngestCase, batches: number, report: Report) {
  const url = await cluster.createDatabase('ingest')
  const baseline = await prepareBaseline(await cluster.createDatabase('baseline'))
  const receiver = await startReceiver(url)
  const rounds: Round[] = []
  let peakMb = 0
  const cpu = { receiver: 0, engine: 0, copy: 0 }
  try {
    // The first round warms both up: code is compiled, pages are mapped.
    for (let round = 0; round <= ROUNDS; round++) {
      const atMs = Math.floor(systemClock.now().getTime() / 60_000) * 60_000 - 300_000
      const bodies = Array.from({ length: EXPORTERS }, (_, exporter) =>
        Array.from({ length: batches }, (_unused, batch) =>
          encodeBatch(name, { exporter, batch: round * batches + batch, atMs: atMs + batch * BATCH_MS }),
        ),
      )
      await emptyTables(url)
      const before = { receiver: cpuSecondsOf(receiver.pid), engine: cluster.cpuSeconds() }
      const started = performance.now()
      const latencies = (await Promise.all(bodies.map((each) => send(receiver.port, each)))).flat()
      const rate = (EXPORTERS * batches * BATCH_SPANS) / ((performance.now() - started) / 1000)
      const receiverSeconds = cpuSecondsOf(receiver.pid) - before.receiver
      const engineSeconds = cluster.cpuSeconds() - before.engine
      const written = await readBack(url, EXPORTERS * batches * BATCH_SPANS)
      const seconds = await copyAgain(baseline, written, {
        connections: EXPORTERS,
        cpuSeconds: cluster.cpuSeconds,
      })
      if (round === 0) continue
      cpu.receiver += receiverSeconds
      cpu.engine += engineSeconds
      cpu.copy += seconds.inBatchesCpu
      const copied = {
        oneStream: written.spans / seconds.oneStream,
        inBatches: written.spans / seconds.inBatches,
        spansAlone: written.spans / seconds.spansAlone,
      }
      rounds.push({ rate, copied, written: { ...written, pieces: null }, latencies })
    }
    peakMb = peakResidentMb(receiver.child)
  } finally {
    receiver.child.kill('SIGKILL')
  }
  reportRounds(name, rounds, report)
  const spans = rounds.reduce((sum, { written }) => sum + written.spans, 0)
  report(atMost(`${name} receiver peak`, peakMb, 'MB', RECEIVER_MAX_MB))
  const each = (seconds: number) => (seconds * 1e6) / spans
  report(stated(`${name} receiver cpu`, each(cpu.receiver), 'us/span'))
  const engine = { value: each(cpu.engine), baseline: each(cpu.copy), unit: 'us/span' }
  report(against(`${name} engine cpu to COPY in batches`, engine))
}

function reportRounds(name: IngestCase, rounds: readonly Round[], report: Report): void {
  const median = (pick: (round: Round) => number) => quantile(rounds.map(pick), 0.5)
  const compare = (to: Kind) => {
    // The median of the rounds' ratios: a ratio within one round is what the machine's load leaves alone.
    const ratio = median(({ rate, copied }) => rate / copied[to])
    const value = median(({ rate }) => rate)
    return { value, baseline: value / ratio, unit: 'spans/s' }
  }
  const latencies = rounds.flatMap((round) => round.latencies)
  const last = rounds.at(-1)
  report(against(name, compare('oneStream'), { ratioMin: RATIO_MIN }))
  report(against(`${name} to COPY by ${EXPORTERS} connections, a batch a transaction`, compare('inBatches')))
  report(against(`${name} to COPY of spans alone`, compare('spansAlone')))
  report(atMost(`${name} p99`, quantile(latencies, 0.99), 'ms', P99_MAX_MS))
  report(stated(`${name} p50`, quantile(latencies, 0.5), 'ms'))
  if (last === undefined) return
  const { bytes, spans, keyedRequests } = last.written
  report(stated(`${name} bytes a span`, bytes.span / spans, 'bytes'))
  report(stated(`${name} bytes a keyedRequest, with its key`, bytes.keyed_request / keyedRequests, 'bytes'))
}

/** The real process, as `npm start` runs it. */
async function startReceiver(url: string): Promise<{ child: ChildProcess; pid: number; port: number }> {
  const child = spawn(process.execPath, RECEIVER_ARGS, {
    env: {
      NODE_ENV: 'production',
      PATH: process.env.PATH ?? '',
      ...(process.env.BENCH_NODE_OPTIONS === undefined
        ? {}
        : { NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS }),
      DATABASE_URL: url,
      OTLP_PORT: '0',
      IDEMSCOPE_KEY_SECRET: 'bench'.repeat(8),
      IDEMSCOPE_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const deadline = performance.now() + 30_000
  try {
    while (performance.now() < deadline && child.exitCode === null) {
      const { rows } = await client.query(
        "SELECT detail->>'port' AS port FROM process_heartbeat WHERE kind = 'receiver'",
      )
      const port = Number(rows[0]?.port ?? 0)
      if (port > 0) return { child, pid: child.pid ?? 0, port }
      await new Promise((done) => setTimeout(done, 50))
    }
  } finally {
    await client.end()
  }
  child.kill('SIGKILL')
  throw new Error('the receiver did not start')
}

/** One exporter: its batches one after the other over one connection. Resolves to their latencies in ms. */
async function send(port: number, bodies: readonly Buffer[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const latencies: number[] = []
  for (const body of bodies) {
    const started = performance.now()
    const status = await post(port, body, agent)
    if (status !== 200) throw new Error(`the receiver answered ${status}`)
    latencies.push(performance.now() - started)
  }
  agent.destroy()
  return latencies
}

function post(port: number, body: Buffer, agent: Agent): Promise<number> {
  const headers = {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'gzip',
    'content-length': body.length,
  }
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', agent, headers },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function peakResidentMb({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6
}
