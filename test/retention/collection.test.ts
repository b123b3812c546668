import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { collect } from '@/lib/retention/collect'
import { maintainPartitions } from '@/lib/retention/maintain-partitions'
import { sampleStores } from '@/lib/retention/sample-stores'
import { startCollection } from '@/lib/retention/start-collection'
import { executeRun } from '@/lib/runs/execute'
import { getRun } from '@/lib/runs/read'
import { acquire, createFixture, type Fixture, killHolder } from '../locks/locks-fixture'

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())

/** A record whose partition is long past: the partitions' bounds are moved, as time would. */
async function expiredPartition(key: string): Promise<string> {
  const holder = await acquire(fixture, key)
  await fixture.store.complete(holder, { status: 200, headers: [], body: Buffer.from('x') })
  const { rows } = await fixture.service.query(
    `SELECT partition, lower_bound, upper_bound FROM idem_partitions() ORDER BY upper_bound`,
  )
  const from = '2020-01-01T00:00:00Z'
  const to = '2020-01-01T12:00:00Z'
  const name = `idem_record_t1_${Date.parse(to)}`
  await fixture.service.query(`
    CREATE TABLE ${name} PARTITION OF idem_record_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    CREATE TABLE ${name.replace('record', 'body')} PARTITION OF idem_body_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    INSERT INTO idem_record SELECT '2020-01-01T06:00:00Z', '2020-01-01', 1, scope_id, tier, 200, 1, 'C', idem_key_bytes('old-' || n), fingerprint, NULL
    FROM idem_record, generate_series(1, 500) n WHERE key = idem_key_bytes('${key}')`)
  expect(rows.length).toBeGreaterThan(0)
  return name
}

const partitionExists = async (name: string): Promise<boolean> =>
  (await fixture.service.query('SELECT to_regclass($1) IS NOT NULL AS there', [name])).rows[0].there

async function run(dryRun: boolean, options = {}) {
  const started = await startCollection(operator, { source: fixture.sourceId, dryRun })
  const outcome = await executeRun(
    fixture.system,
    { id: started.id, owner: 'w', leaseMs: 60_000 },
    (ctx, handle) => collect(ctx, handle, { source: fixture.sourceId }, { safetyMs: 3_600_000, ...options }),
  )
  expect(outcome).toBe('done')
  return getRun(fixture.console.db, started.id)
}

test('a dry run says what it would drop; the run drops it; live records and unfinished keys stay', async () => {
  const partition = await expiredPartition('done-1')
  const stuck = await acquire(fixture, 'stuck-old')
  await killHolder(fixture, stuck)
  await fixture.service.query(
    `UPDATE idem_lease SET created_at = '2020-01-01' WHERE key = idem_key_bytes('stuck-old')`,
  )

  expect(await sampleStores(fixture.system)).toBe(1)
  const sample = await fixture.console.db.pool.query(
    'SELECT tier, expired_rows::int AS expired FROM telemetry.store_sample',
  )
  expect(sample.rows[0]).toMatchObject({ tier: 'standard' })
  expect(sample.rows[0].expired).toBeGreaterThan(0)

  const dry = await run(true)
  expect(dry).toMatchObject({
    outcome: 'dry_run',
    counts: { partitions: 1, reapedUnfinished: 1, unfinished: [{ key: 'stuck-old', state: 'leased' }] },
  })
  expect(await partitionExists(partition)).toBe(true)

  const real = await run(false)
  expect(real).toMatchObject({
    outcome: 'collected',
    counts: { partitions: 1, busy: 0, reapedUnfinished: 1, rows: (dry.counts as { rows: string }).rows },
  })
  expect(await partitionExists(partition)).toBe(false)
  const { rows } = await fixture.service.query(
    `SELECT (SELECT count(*) FROM idem_record)::int AS records, (SELECT count(*) FROM idem_lease)::int AS leases`,
  )
  expect(rows[0]).toEqual({ records: 1, leases: 1 })
})

test('behind a long reader it waits its turn, and no acquire waits with it', async () => {
  const partition = await expiredPartition('done-2')
  const reader = new pg.Client({ connectionString: fixture.service.options.connectionString })
  await reader.connect()
  await reader.query('BEGIN')
  await reader.query(`SELECT count(*) FROM ${partition}`)

  expect(await run(false, { retryForMs: 0 })).toMatchObject({
    outcome: 'busy',
    counts: { partitions: 0, busy: 1 },
  })
  expect(await partitionExists(partition)).toBe(true)
  const startedAt = performance.now()
  const collecting = run(false, { retryForMs: 20_000 })
  for (let n = 0; n < 20; n++) await acquire(fixture, `meanwhile-${n}`)
  const waitedMs = performance.now() - startedAt
  await reader.query('COMMIT')
  await reader.end()
  expect(await collecting).toMatchObject({ outcome: 'collected', counts: { partitions: 1, busy: 0 } })
  expect(await partitionExists(partition)).toBe(false)
  expect(waitedMs).toBeLessThan(20_000)
})

test('who may not is refused; the telemetry’s partitions are kept up', async () => {
  await expect(startCollection(await fixture.as('viewer'), {})).rejects.toMatchObject({ code: 'forbidden' })
  await expect(startCollection(operator, { source: fixture.providerSourceId })).rejects.toMatchObject({
    code: 'invalid',
  })
  expect((await maintainPartitions(fixture.system)).made).toBeGreaterThan(0)
  expect((await maintainPartitions(fixture.system)).made).toBe(0)
})
