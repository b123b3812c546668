import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { openAdapter } from '@/lib/sources/adapters'
import type { DeletedBatch, IntentSource, RowCollection } from '@/lib/sources/contracts'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { BRANDUR_SCHEMA } from '../support/rocket-rides-schema'
import { withCluster } from './cluster'
import { against, atMost, type Bench, quantile, type Report, stated } from './report'

const ROWS_DEFAULT = 1_000_000
const GONE_MAX_MS = 1_000
const WAIT_MAX_MS = 100
const DELETE_RATIO_MIN = 0.7
const FOREGROUND_RATIO_MAX = 1.5
const READER_MS = 4_000
const RETRY_EVERY_MS = 250
const BATCH_ROWS = 5_000
const DELETE_ROUNDS = 5
const FOREGROUND_MS = 6_000
const SCOPE = 'bench/POST /v1/payments'

/** `--rows` = expired keys of each case. */
export const bench: Bench = async ({ rows = ROWS_DEFAULT, only }, report) => {
  const wanted = (name: string) => only === undefined || only === name
  await withCluster(async (cluster) => {
    if (wanted('drop')) await dropCases(await cluster.createDatabase('gc_native'), rows, report)
    if (wanted('delete')) await deleteCase(await cluster.createDatabase('gc_foreign'), rows, report)
  })
}

async function dropCases(url: string, rows: number, report: Report): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  // Connections that the end of the cluster cuts.
  pool.on('error', () => undefined)
  const store = createPostgresStore({ pool })
  await store.migrate()
  await store.registerTier('bench', 86_400_000)
  const source = openAdapter(
    'native',
    { statementTimeoutMs: 60_000 },
    { url },
    { demo: false },
  ) as IntentSource
  await execute(store, randomUUID())

  const first = await expiredPartition(pool, 2020, rows)
  const started = performance.now()
  await collectUntilGone(source, first)
  report(atMost(`${rows} expired keys, dropped`, performance.now() - started, 'ms', GONE_MAX_MS))

  const second = await expiredPartition(pool, 2021, rows)
  const reader = await pool.connect()
  await reader.query('BEGIN')
  await reader.query(`SELECT count(*) FROM ${second}`)
  const load = foreground(store)
  const collecting = collectUntilGone(source, second)
  await new Promise((done) => setTimeout(done, READER_MS))
  await reader.query('COMMIT')
  const letGo = performance.now()
  reader.release()
  await collecting
  report(atMost('gone after a reader of 4 s let go', performance.now() - letGo, 'ms', GONE_MAX_MS))
  const waits = await load.stop()
  report(atMost('longest acquire behind the reader', Math.max(...waits.acquire), 'ms', WAIT_MAX_MS))

  await foregroundCase(pool, store, source, rows, report)
  await source.close()
  store.close()
  await pool.end()
}

/** The same load, in turns alone and while a partition is dropped, so that what else the machine does falls on both. */
async function foregroundCase(
  pool: pg.Pool,
  store: PostgresStore,
  source: IntentSource,
  rows: number,
  report: Report,
): Promise<void> {
  const partitions: string[] = []
  for (const year of [2010, 2011, 2012, 2013])
    partitions.push(await expiredPartition(pool, year, Math.ceil(rows / 4)))
  const [without, during]: [number[], number[]] = [[], []]
  const turnMs = FOREGROUND_MS / partitions.length
  const turn = async (times: number[], work: () => Promise<void>) => {
    const load = foreground(store)
    await Promise.all([work(), new Promise((done) => setTimeout(done, turnMs))])
    times.push(...(await load.stop()).whole)
  }
  await turn([], async () => undefined)
  for (const partition of partitions) {
    await turn(without, async () => undefined)
    await turn(during, () => collectUntilGone(source, partition))
  }
  report(
    against(
      'acquire + complete P99 during collection',
      { value: quantile(during, 0.99), baseline: quantile(without, 0.99), unit: 'ms' },
      { ratioMax: FOREGROUND_RATIO_MAX },
    ),
  )
}

async function deleteCase(url: string, rows: number, report: Report): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  // Connections that the end of the cluster cuts.
  pool.on('error', () => undefined)
  await pool.query(BRANDUR_SCHEMA)
  const source = openAdapter(
    'rocket-rides-atomic',
    { collect: true, statementTimeoutMs: 60_000 },
    { url },
    { demo: false },
  ) as IntentSource
  const collection = source.rowCollection
  if (collection === undefined) throw new Error('no collection by rows')

  // In turns, so that what else the machine does falls on both.
  const spentMs = { raw: 0, ours: 0 }
  const share = Math.ceil(rows / DELETE_ROUNDS)
  for (let round = 0; round < DELETE_ROUNDS; round++) {
    await fillForeign(pool, share)
    spentMs.raw += await timeOf(() => deleteRaw(pool))
    await fillForeign(pool, share)
    spentMs.ours += await timeOf(async () => {
      const gone = await deleteOurs(collection)
      if (gone !== share) throw new Error(`${gone} of ${share} rows went`)
    })
  }
  const [raw, ours] = [spentMs.raw, spentMs.ours].map((ms) => (share * DELETE_ROUNDS * 1000) / ms)
  report(
    against(
      'delete mode',
      { value: ours ?? 0, baseline: raw ?? 0, unit: 'rows/s' },
      { ratioMin: DELETE_RATIO_MIN },
    ),
  )
  report(stated('delete mode: rows of a batch', BATCH_ROWS, 'rows'))
  await source.close()
  await pool.end()
}

async function deleteRaw(pool: pg.Pool): Promise<void> {
  let deleted: number | null
  do {
    const result = await pool.query(
      `DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '73 hours' AND recovery_point = 'finished'
         ORDER BY id LIMIT ${BATCH_ROWS}))`,
    )
    deleted = result.rowCount
  } while (deleted !== 0)
}

async function deleteOurs(collection: RowCollection): Promise<number> {
  let position: string | null = null
  let gone = 0
  do {
    const batch: DeletedBatch = await collection.deleteExpired(position, BATCH_ROWS, {
      safetyMs: 3_600_000,
      providerWindowMs: 86_400_000,
    })
    gone += batch.rows
    position = batch.next
  } while (position !== null)
  return gone
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function fillForeign(pool: pg.Pool, rows: number): Promise<void> {
  await pool.query('TRUNCATE idempotency_keys')
  await pool.query(
    `INSERT INTO idempotency_keys (idempotency_key, request_method, request_params, request_path, recovery_point, user_id,
       locked_at, created_at, last_run_at, response_code, response_body)
     SELECT gen_random_uuid(), 'POST', '{}', '/rides', 'finished', n % 1000, NULL, now() - interval '80 hours', now() - interval '80 hours', 201, '{"id":"ride"}'
     FROM generate_series(1, $1::int) n`,
    [rows],
  )
  await pool.query('VACUUM ANALYZE idempotency_keys')
}

/** A partition of a year long past, filled. */
async function expiredPartition(pool: pg.Pool, year: number, rows: number): Promise<string> {
  const [from, to] = [`${year}-01-01T00:00:00Z`, `${year}-01-01T12:00:00Z`]
  const name = `idem_record_t1_${Date.parse(to)}`
  const body = name.replace('record', 'body')
  await pool.query(`
    CREATE TABLE ${name} (LIKE idem_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    CREATE UNIQUE INDEX ON ${name} (scope_id, key);
    INSERT INTO ${name} SELECT '${year}-01-01T06:00:00Z', '${year}-01-01', n, 1, 1, 201, 1, 'C', uuid_send(gen_random_uuid()),
      decode('00000000000000000000000000000000', 'hex'), NULL FROM generate_series(1, ${rows}) n;
    ALTER TABLE idem_record_t1 ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}');
    CREATE TABLE ${body} PARTITION OF idem_body_t1 FOR VALUES FROM ('${from}') TO ('${to}')`)
  return `public.${name}`
}

/** Longer than any bound: a collection that starves is a finding, not a hang. */
const GIVE_UP_MS = 60_000

/** As a run does it: behind a reader again and again. */
async function collectUntilGone(source: IntentSource, partition: string): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS
  const answers: Record<string, number> = {}
  while (performance.now() < deadline) {
    const collected = await source.collectPartition(partition, 0)
    if (collected.kind === 'done' || collected.kind === 'gone') return
    answers[collected.kind] = (answers[collected.kind] ?? 0) + 1
    await new Promise((done) => setTimeout(done, RETRY_EVERY_MS))
  }
  throw new Error(`${partition} is still there after ${GIVE_UP_MS / 1000} s: ${JSON.stringify(answers)}`)
}

async function execute(store: PostgresStore, key: string): Promise<{ acquireMs: number; wholeMs: number }> {
  const started = performance.now()
  const holder = { scope: SCOPE, key, owner: 'bench', tier: 'bench' }
  const acquired = await store.acquire({
    ...holder,
    fingerprint: new Uint8Array(16),
    leaseMs: 30_000,
    traceId: null,
  })
  const acquireMs = performance.now() - started
  if (acquired.kind !== 'acquired') throw new Error(acquired.kind)
  const response = { status: 201, headers: [] as [string, string][], body: new Uint8Array() }
  await store.complete({ ...holder, fence: acquired.fence }, response)
  return { acquireMs, wholeMs: performance.now() - started }
}

/** Two clients that work without pause until they are stopped. */
function foreground(store: PostgresStore) {
  const times = { acquire: [] as number[], whole: [] as number[] }
  let running = true
  const clients = [1, 2].map(async () => {
    while (running) {
      const { acquireMs, wholeMs } = await execute(store, randomUUID())
      times.acquire.push(acquireMs)
      times.whole.push(wholeMs)
    }
  })
  return {
    async stop() {
      running = false
      await Promise.all(clients)
      return times
    },
  }
}
