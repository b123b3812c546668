import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPostgresStore } from '@/sdk/stores/postgres'
import type { AcquireRequest } from '@/sdk/stores/store'
import {
  acquireRequest,
  createStoreFixture,
  holderOf,
  okResponse,
  openPool,
  type StoreFixture,
} from './support'

/** Far more than the planner would ever need; a generic plan locks each of them and its indexes. */
const PARTITIONS = 300
const LOCKS_MAX = 40
/** A session makes its generic plans from the sixth call on. */
const CALLS = 12

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

const leaseBytes = async () =>
  (await fixture.query("SELECT pg_relation_size('idem_lease') + pg_indexes_size('idem_lease') AS bytes"))[0]

it('a storm of replays behind an old snapshot writes nothing', async () => {
  const request = acquireRequest('stormed')
  await fixture.store.complete(holderOf(request, await fixture.store.acquire(request)), okResponse())
  const reader = await fixture.pool.connect()
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await reader.query('SELECT count(*) FROM idem_lease')
  const before = await leaseBytes()
  for (let replay = 0; replay < 500; replay += 1)
    expect((await fixture.store.acquire(request)).kind).toBe('replay')
  expect(await leaseBytes()).toEqual(before)
  const other = { ...request, fingerprint: Buffer.alloc(16, 9) }
  for (const asked of [request, other]) expect(await writes(asked)).toBe(false)
  expect(await writes(acquireRequest('fresh'))).toBe(true)
  await reader.query('COMMIT')
  reader.release()
})

it('neither does one that is told that the key is in flight', async () => {
  const request = acquireRequest('in-flight')
  await fixture.store.acquire(request)
  expect(await writes(request)).toBe(false)
})

/** Whether an acquire got its transaction an id: one that writes needs it. */
async function writes(request: AcquireRequest): Promise<boolean> {
  const pool = openPool(fixture.url, 1)
  const store = createPostgresStore({ pool })
  await pool.query('BEGIN')
  await store.acquire(request)
  const { rows } = await pool.query('SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS writes')
  await pool.query('COMMIT')
  store.close()
  await pool.end()
  return rows[0].writes
}

it(`holds at most ${LOCKS_MAX} locks however many partitions nobody has collected`, async () => {
  await fixture.query(`
    DO $$ BEGIN FOR n IN 1..${PARTITIONS} LOOP
      EXECUTE format('CREATE TABLE idem_record_old_%s (LIKE idem_record INCLUDING ALL)', n);
      EXECUTE format('CREATE UNIQUE INDEX ON idem_record_old_%s (scope_id, key)', n);
      EXECUTE format('ALTER TABLE idem_record_t1 ATTACH PARTITION idem_record_old_%s FOR VALUES FROM (%L) TO (%L)', n,
        '2001-01-01Z'::timestamptz + n * interval '1 hour', '2001-01-01Z'::timestamptz + (n + 1) * interval '1 hour');
    END LOOP; END $$`)
  await fixture.store.ensurePartitions('default')
  // One connection, in a transaction that keeps what it locked.
  const pool = openPool(fixture.url, 1)
  const store = createPostgresStore({ pool })
  const counts: Record<string, number> = { acquire: 0, complete: 0, again: 0, replay: 0, stale: 0 }
  const count = async (name: string, work: () => Promise<unknown>) => {
    await pool.query('BEGIN')
    await work()
    const { rows } = await pool.query('SELECT count(*)::int AS n FROM pg_locks WHERE pid = pg_backend_pid()')
    await pool.query('COMMIT')
    counts[name] = Math.max(counts[name] ?? 0, rows[0].n)
  }
  for (let call = 0; call < CALLS; call += 1) {
    const request = acquireRequest(`locking-${call}`)
    let holder = { scope: '', key: '', fence: 0n, owner: '', tier: 'default' }
    await count('acquire', async () => {
      holder = holderOf(request, await store.acquire(request))
    })
    await count('complete', () => store.complete(holder, okResponse()))
    await count('again', () => store.complete(holder, okResponse()))
    await count('replay', () => store.acquire(request))
    await count('stale', () => store.complete({ ...holder, fence: 1n }, okResponse()))
  }
  store.close()
  await pool.end()
  for (const [name, locks] of Object.entries(counts)) expect(locks, name).toBeLessThanOrEqual(LOCKS_MAX)
})

it('counts partitions that were collected since, and goes back to plans that are kept', async () => {
  const counted = async () =>
    (await fixture.query("SELECT partitions FROM idem_tier WHERE name = 'default'"))[0]?.partitions
  expect(await counted()).toBeGreaterThanOrEqual(PARTITIONS)
  for (let n = 1; n <= PARTITIONS; n += 1) await fixture.query(`DROP TABLE idem_record_old_${n}`)
  await fixture.store.ensurePartitions('default')
  expect(await counted()).toBeLessThan(10)
})
