import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { stringify } from 'yaml'
import { withCluster } from './cluster'
import { type LoadUpstream, runLoad, startLoadUpstream } from './http-load'
import { against, atMost, type Bench, quantile, type Report, stated } from './report'

const RATIO_MIN = 0.6
const ADDED_MS_MAX = 2
const GROWTH_MAX = 1.15
const CONNECTIONS = 32
/** Of a round; sides alternate, so that what else the machine does falls on both. */
const REQUESTS_DEFAULT = 3_000
const ROUNDS = 5
const SLOW = 1_000

const BARE = `
  CREATE TABLE bare (
    scope text NOT NULL, key text NOT NULL, state text NOT NULL, fingerprint bytea NOT NULL, owner text NOT NULL,
    trace_id bytea, created_at timestamptz NOT NULL DEFAULT clock_timestamp(), expires_at timestamptz, status smallint,
    headers jsonb, body bytea, PRIMARY KEY (scope, key)
  )`

type Side = { port: number; child: ChildProcess }
type World = { gateway: Side; bare: Side; noting: Side; bySdk: Side; upstream: LoadUpstream; pool: pg.Pool }

/** `--rows` = requests of one round. The baseline is a proxy written by hand on node:http, which the same load goes through. */
export const bench: Bench = async ({ rows = REQUESTS_DEFAULT, only }, report) => {
  await withCluster(async (cluster) => {
    const url = await cluster.createDatabase('gateway')
    const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
    // Connections that the end of the cluster cuts.
    pool.on('error', () => undefined)
    await pool.query(BARE)
    const upstream = await startLoadUpstream()
    const folder = mkdtempSync(join(tmpdir(), 'idemscope-bench-gateway-'))
    const sides = await Promise.all([
      startGateway(folder, url, upstream.url),
      startProcess(['test/bench/gateway-bare.ts', upstream.url]),
      startProcess(['test/bench/gateway-bare.ts', upstream.url, url]),
      startProcess(['test/bench/gateway-bare.ts', upstream.url, url, 'sdk']),
    ])
    const [gateway, bare, noting, bySdk] = sides
    try {
      const world = { gateway, bare, noting, bySdk, upstream, pool }
      for (const [name, run] of Object.entries(CASES))
        if (only === undefined || only === name) await run(world, name, rows, report)
    } finally {
      for (const { child } of sides) child.kill('SIGKILL')
      upstream.close()
      await pool.end()
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

type Run = (world: World, name: string, rows: number, report: Report) => Promise<void>

const unkeyed = { path: '/open/payments', keyOf: () => null }
const keyed = { path: '/v1/payments', keyOf: () => randomUUID() }

const CASES: Record<string, Run> = {
  'requests without a key': async ({ gateway, bare }, name, rows, report) => {
    const { ours, theirs } = await alternate(gateway, bare, unkeyed, rows)
    report(against(name, { value: ours, baseline: theirs, unit: 'requests/s' }, { ratioMin: RATIO_MIN }))
  },
  'keyed requests, against a proxy with the same store': async ({ gateway, bySdk }, name, rows, report) => {
    const { ours, theirs } = await alternate(gateway, bySdk, keyed, rows)
    report(against(name, { value: ours, baseline: theirs, unit: 'requests/s' }, { ratioMin: RATIO_MIN }))
  },
  'keyed requests, against a proxy that notes them': async ({ gateway, noting }, name, rows, report) => {
    const { ours, theirs } = await alternate(gateway, noting, keyed, rows)
    report(against(name, { value: ours, baseline: theirs, unit: 'requests/s' }))
  },
  'keyed requests, against a proxy without a store': async ({ gateway, bare }, name, rows, report) => {
    const { ours, theirs } = await alternate(gateway, bare, keyed, rows)
    report(against(name, { value: ours, baseline: theirs, unit: 'requests/s' }))
  },
  replays: async ({ gateway, bare }, name, rows, report) => {
    const keys = Array.from({ length: CONNECTIONS * 2 }, () => randomUUID())
    const keyOf = (n: number) => keys[n % keys.length] ?? ''
    await runLoad({ ...keyed, keyOf, port: gateway.port, connections: 1, requests: keys.length })
    const { ours, theirs } = await alternate(gateway, bare, { ...keyed, keyOf }, rows)
    report(against(name, { value: ours, baseline: theirs, unit: 'requests/s' }))
  },
  'P99 added to a keyed request': measureAdded,
  'memory at 1,000 slow requests': measureMemory,
}

async function alternate(
  ours: Side,
  theirs: Side,
  load: Pick<typeof keyed, 'path'> & { keyOf: (n: number) => string | null },
  requests: number,
) {
  const rates = { ours: [] as number[], theirs: [] as number[] }
  const rate = async ({ port }: Side) => {
    const { allMs } = await runLoad({ ...load, port, connections: CONNECTIONS, requests })
    return (requests / allMs) * 1_000
  }
  await rate(ours)
  await rate(theirs)
  for (let round = 0; round < ROUNDS; round++) {
    rates.theirs.push(await rate(theirs))
    rates.ours.push(await rate(ours))
  }
  return { ours: quantile(rates.ours, 0.5), theirs: quantile(rates.theirs, 0.5) }
}

/** Few at a time: what is measured is the way, not the queue. A round trip is a row that is written durably. */
async function measureAdded(
  { gateway, bare, pool }: World,
  name: string,
  rows: number,
  report: Report,
): Promise<void> {
  const connections = 4
  const load = { ...keyed, connections, requests: rows }
  const added: number[] = []
  const bounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const theirs = await runLoad({ ...load, port: bare.port })
    const roundTrips = await measureRoundTrips(pool, connections, rows)
    const ours = await runLoad({ ...load, port: gateway.port })
    added.push(quantile(ours.eachMs, 0.99) - quantile(theirs.eachMs, 0.99))
    bounds.push(2 * quantile(roundTrips, 0.99) + ADDED_MS_MAX)
  }
  report(atMost(name, quantile(added, 0.5), 'ms', Number(quantile(bounds, 0.5).toFixed(2))))
}

async function measureRoundTrips(pool: pg.Pool, connections: number, count: number): Promise<number[]> {
  const eachMs: number[] = []
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let n = 0; n < count / connections; n++) {
        const sentMs = performance.now()
        await pool.query({
          name: 'round-trip',
          text: "INSERT INTO bare (scope, key, state, fingerprint, owner) VALUES ('round-trip', $1, 'L', '', 'bench')",
          values: [randomUUID()],
        })
        eachMs.push(performance.now() - sentMs)
      }
    }),
  )
  return eachMs
}

/** Each round holds 1,000 keyed requests open at the upstream; what a round costs must be given back. */
async function measureMemory(
  { gateway, upstream }: World,
  name: string,
  _rows: number,
  report: Report,
): Promise<void> {
  const held: number[] = []
  for (let round = 0; round < 6; round++) {
    upstream.hold()
    const load = runLoad({ ...keyed, port: gateway.port, connections: SLOW, requests: SLOW })
    while (upstream.waiting() < SLOW) await new Promise((resolve) => setTimeout(resolve, 20))
    held.push(residentMib(gateway))
    upstream.release()
    await load
  }
  // The first rounds fill pools and code caches.
  const [, , third = 0] = held
  const last = held.at(-1) ?? 0
  report(stated(`${name}: resident`, last, 'MiB'))
  report(atMost(`${name}: last round against the third`, last / third, 'ratio', GROWTH_MAX))
}

function residentMib({ child }: Side): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

async function startGateway(folder: string, databaseUrl: string, upstreamUrl: string): Promise<Side> {
  const file = join(folder, 'gateway.yaml')
  writeFileSync(
    file,
    stringify({
      listen: '127.0.0.1:0',
      admin: '127.0.0.1:0',
      keySecret: 'bench-secret-of-32-characters-00',
      stores: { main: { type: 'postgres', url: databaseUrl, connections: 10, tiers: { default: '1h' } } },
      upstreams: { payments: { url: upstreamUrl, connections: 2_000 } },
      callers: { web: { fixed: 'web' } },
      routes: [
        {
          methods: ['POST'],
          path: '/v1/payments',
          upstream: 'payments',
          store: 'main',
          caller: 'web',
          deadline: '60s',
        },
        { methods: ['GET', 'POST'], path: '/open/**', upstream: 'payments', key: 'off' },
      ],
    }),
  )
  return startProcess(['gateway/main.ts', '--config', file], 'store is ready')
}

/** Resolves once it has told its port, and what else it is to tell. */
async function startProcess(args: string[], also?: string): Promise<Side> {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let port: number | undefined
  let isReady = also === undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { port?: number; msg?: string }
    port ??= said.port
    isReady ||= said.msg === also
    if (port !== undefined && isReady) break
  }
  if (port === undefined) throw new Error(`${args[0]} ended before it listened`)
  // What it logs is read on, or it would wait for that.
  child.stdout.resume()
  return { port, child }
}
