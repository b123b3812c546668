import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { withCluster } from './cluster'
import { against, atMost, type Bench, quantile, type Report, stated } from './report'

const RATIO_MAX = 2.2
const BYTES_MAX = 200
/** Operations of a round; sides alternate, so that what else the machine does falls on both. */
const OPERATIONS_DEFAULT = 2_000
const ROUNDS = 7
const CONNECTIONS = [1, 32] as const
const SCOPE = 'bench/POST /v1/payments'
const BODY = JSON.stringify({ id: 'pay_1', amount: 1050, currency: 'USD', status: 'succeeded' })

/** One table that a service would write by hand: a row when the work begins, changed when it ends. */
const BARE = `
  CREATE TABLE bare (
    scope text NOT NULL, key text NOT NULL, state text NOT NULL, fingerprint bytea NOT NULL, owner text NOT NULL,
    trace_id bytea, created_at timestamptz NOT NULL DEFAULT clock_timestamp(), expires_at timestamptz, status smallint,
    headers jsonb, body bytea, PRIMARY KEY (scope, key)
  )`

type Side = (body: boolean) => Promise<void>

/** `--rows` = operations of one round. */
export const bench: Bench = async ({ rows, only }, report) => {
  await withCluster(async (cluster) => {
    const url = await cluster.createDatabase('sdk')
    for (const connections of CONNECTIONS) {
      for (const body of [false, true]) {
        const name = `acquire + complete, ${connections} connection${connections === 1 ? '' : 's'}${body ? ', with a body' : ''}`
        if (only === undefined || only === name) await compare(url, name, connections, body, rows, report)
      }
    }
    if (only === undefined || only === 'holds') await measureHolds(url, report)
    if (only === undefined || only === 'bytes') await measureBytes(url, report)
  })
}

async function compare(
  url: string,
  name: string,
  connections: number,
  body: boolean,
  rows: number | undefined,
  report: Report,
): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  // Connections that the end of the cluster cuts.
  pool.on('error', () => undefined)
  const store = createPostgresStore({ pool })
  await store.migrate()
  await store.registerTier('bench', 86_400_000)
  await pool.query('DROP TABLE IF EXISTS bare')
  await pool.query(BARE)
  const operations = rows ?? OPERATIONS_DEFAULT
  const sides = { ours: oursOf(store), bare: bareOf(pool) }
  const ratios: number[] = []
  const times = { ours: [] as number[], bare: [] as number[] }
  await timed(sides.bare, connections, operations / 4, body)
  await timed(sides.ours, connections, operations / 4, body)
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await timed(sides.bare, connections, operations, body)
    const ours = await timed(sides.ours, connections, operations, body)
    times.bare.push(bare)
    times.ours.push(ours)
    ratios.push(ours / bare)
  }
  const line = against(
    name,
    { value: quantile(times.ours, 0.5), baseline: quantile(times.bare, 0.5), unit: 'µs an operation' },
    { ratioMax: RATIO_MAX },
  )
  report(line)
  report(stated(`${name}: median of the rounds' ratios`, quantile(ratios, 0.5), 'ratio'))
  store.close()
  await pool.end()
}

/** Elapsed µs an operation, with every connection at work. */
async function timed(side: Side, connections: number, operations: number, body: boolean): Promise<number> {
  const each = Math.ceil(operations / connections)
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let n = 0; n < each; n++) await side(body)
    }),
  )
  return ((performance.now() - started) * 1000) / (each * connections)
}

const FINGERPRINT = randomBytes(16)

function oursOf(store: PostgresStore): Side {
  const headers: [string, string][] = [['content-type', 'application/json']]
  const bytes = new TextEncoder().encode(BODY)
  return async (body) => {
    const key = randomUUID()
    const traceId = randomBytes(16).toString('hex')
    const acquired = await store.acquire({
      scope: SCOPE,
      key,
      tier: 'bench',
      fingerprint: FINGERPRINT,
      owner: 'bench-1',
      leaseMs: 30_000,
      traceId,
    })
    if (acquired.kind !== 'acquired') throw new Error(acquired.kind)
    const holder = { scope: SCOPE, key, fence: acquired.fence, owner: 'bench-1', tier: 'bench' }
    const response = body
      ? { status: 201, headers, body: bytes }
      : { status: 201, headers: [], body: new Uint8Array() }
    if ((await store.complete(holder, response)) === 'stale') throw new Error('stale')
  }
}

function bareOf(pool: pg.Pool): Side {
  return async (body) => {
    const key = randomUUID()
    await pool.query(
      `INSERT INTO bare (scope, key, state, fingerprint, owner, trace_id) VALUES ($1, $2, 'L', $3, $4, $5)`,
      [SCOPE, key, FINGERPRINT, 'bench-1', randomBytes(16)],
    )
    await pool.query(
      `UPDATE bare SET state = 'C', status = $3, headers = $4, body = $5,
         expires_at = clock_timestamp() + interval '1 day' WHERE scope = $1 AND key = $2`,
      [
        SCOPE,
        key,
        201,
        body ? '[["content-type","application/json"]]' : null,
        body ? Buffer.from(BODY) : null,
      ],
    )
  }
}

const HOLD_SHARE_MAX = 0.01

/** What a request pays to know what is held, against its acquire; the store is read in the background. */
async function measureHolds(url: string, report: Report): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  pool.on('error', () => undefined)
  const store = createPostgresStore({ pool })
  await store.migrate()
  await store.registerTier('bench', 86_400_000)
  const { holds } = store
  if (holds === undefined) throw new Error('no holds')
  const acquire = async () => {
    const fingerprint = FINGERPRINT
    const request = { scope: SCOPE, key: randomUUID(), tier: 'bench', fingerprint, owner: 'bench-1' }
    await store.acquire({ ...request, leaseMs: 30_000, traceId: null })
  }
  const look = async () => {
    await holds.refresh()
    if (holds.findExecutionHold(SCOPE, 'key') !== null) throw new Error('held')
  }
  await timed(acquire, 1, OPERATIONS_DEFAULT, false)
  for (const inForce of [0, 500]) {
    if (inForce > 0) await placeOtherHolds(pool, inForce)
    const looked = await timed(look, 1, 200_000, false)
    const acquired = await timed(acquire, 1, OPERATIONS_DEFAULT, false)
    const name = `a look at ${inForce} holds, against an acquire`
    report(against(name, { value: looked, baseline: acquired, unit: 'µs' }, { ratioMax: HOLD_SHARE_MAX }))
  }
  store.close()
  await pool.end()
}

async function placeOtherHolds(pool: pg.Pool, count: number): Promise<void> {
  await pool.query(
    `INSERT INTO idem_hold (placed_at, ends_at, hold_id, kind, step, reason, placed_by)
     SELECT now(), now() + interval '1 hour', 'h' || i, 'step', 's' || i, 'Placed by a bench', 'bench'
     FROM generate_series(1, $1) i`,
    [count],
  )
  // Read again meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
}

/** Heap and index of the record; the lease is gone. */
async function measureBytes(url: string, report: Report): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  // Connections that the end of the cluster cuts.
  pool.on('error', () => undefined)
  const store = createPostgresStore({ pool })
  await store.migrate()
  await store.registerTier('measured', 86_400_000)
  const keys = 20_000
  const side = oursOf({
    ...store,
    acquire: (request) => store.acquire({ ...request, tier: 'measured' }),
    complete: (holder, response) => store.complete({ ...holder, tier: 'measured' }, response),
  })
  await timed(side, 4, keys, false)
  const { rows } = await pool.query<{ bytes: number }>(
    `SELECT sum(l.bytes)::float8 - sum(pg_total_relation_size(to_regclass(replace(l.partition, 'record', 'body')))) AS bytes
     FROM idem_partitions() l WHERE l.tier_name = 'measured' AND pg_relation_size(l.partition::regclass) > 0`,
  )
  report(atMost('bytes a key, without body', (rows[0]?.bytes ?? Number.NaN) / keys, 'bytes', BYTES_MAX))
  store.close()
  await pool.end()
}
