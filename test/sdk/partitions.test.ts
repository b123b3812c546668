import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { grantsForConsole } from '@/sdk/stores/grants'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createEmptyDatabase } from '../support/database'
import { OWN_MIGRATIONS } from './migrations-folder'
import {
  acquireRequest,
  createStoreFixture,
  holderOf,
  okResponse,
  openPool,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(30)
})
afterAll(() => fixture.close())

type Partition = {
  partition: string
  lower_bound: Date
  upper_bound: Date
  expired: boolean
  rows_estimate: string
  bytes: string
}
const partitionsOf = (tier: string) =>
  fixture.query<Partition>('SELECT * FROM idem_partitions() WHERE tier_name = $1', [tier])

/** Moves a tier's partitions into the past: detaches each and attaches it again further back. */
async function agePartitions(tier: string, byMs: number): Promise<void> {
  for (const { partition, lower_bound, upper_bound } of await partitionsOf(tier)) {
    for (const table of [partition, partition.replace('idem_record_', 'idem_body_')]) {
      const parent = table.replace(/_\d+$/, '')
      const [from, to] = [lower_bound, upper_bound].map((bound) => new Date(bound.getTime() - byMs))
      await fixture.query(`ALTER TABLE ${parent} DETACH PARTITION ${table}`)
      await fixture.query(`UPDATE ${table} SET expires_at = expires_at - $1 * interval '1 ms'`, [byMs])
      await fixture.query(
        `ALTER TABLE ${parent} ATTACH PARTITION ${table} FOR VALUES FROM ('${from?.toISOString()}') TO ('${to?.toISOString()}')`,
      )
      await fixture.query(`ALTER TABLE ${table} RENAME TO ${parent.split('.')[1]}_${to?.getTime()}`)
    }
  }
}

describe('migration', () => {
  it('may be run by many processes at once', async () => {
    const database = await createEmptyDatabase()
    const pools = Array.from({ length: 6 }, () => openPool(database.url, 2))
    const stores = pools.map((pool) => createPostgresStore({ pool, schema: 'idem odd"name' }))
    const results = await Promise.all(stores.map((store) => store.migrate()))
    const applied = results.flatMap((result) => result.applied)
    expect(applied.toSorted()).toEqual(OWN_MIGRATIONS)
    await Promise.all(stores.map((store) => store.registerTier('default', 10_000)))
    const [store] = stores
    const request = acquireRequest('k')
    if (store !== undefined)
      await store.complete(holderOf(request, await store.acquire(request)), okResponse())
    for (const one of stores) one.close()
    await Promise.all(pools.map((pool) => pool.end()))
    await database.close()
  })

  it('refuses a migration that was changed after it was applied', async () => {
    const [row] = await fixture.query<{ name: string; checksum: string }>(
      'SELECT * FROM idem_migration LIMIT 1',
    )
    await fixture.query("UPDATE idem_migration SET checksum = 'x' WHERE name = $1", [row?.name])
    await expect(fixture.store.migrate()).rejects.toThrow(/was changed/)
    await fixture.query('UPDATE idem_migration SET checksum = $2 WHERE name = $1', [row?.name, row?.checksum])
    expect(await fixture.store.migrate()).toEqual({ applied: [] })
  })
})

describe('partitions', () => {
  it('are half a TTL wide, aligned, without gap, and reach past now + TTL', async () => {
    const partitions = await partitionsOf('default')
    for (const [at, partition] of partitions.entries()) {
      expect(partition.upper_bound.getTime() % 1_800_000).toBe(0)
      if (at > 0) expect(partition.lower_bound).toEqual(partitions[at - 1]?.upper_bound)
    }
    const [{ now } = { now: new Date() }] = await fixture.query<{ now: Date }>(
      'SELECT clock_timestamp() AS now',
    )
    expect(partitions.at(-1)?.upper_bound.getTime()).toBeGreaterThan(now.getTime() + 3_600_000 + 1_800_000)
    expect(partitions.length).toBeLessThanOrEqual(5)
  })

  it('follow a change of the TTL without overlap', async () => {
    await fixture.store.registerTier('changing', 7_200_000)
    await fixture.store.registerTier('changing', 5_000_000)
    await fixture.store.registerTier('changing', 20_000_000)
    const partitions = await partitionsOf('changing')
    for (const [at, partition] of partitions.entries())
      if (at > 0) expect(partition.lower_bound).toEqual(partitions[at - 1]?.upper_bound)
    const request = acquireRequest('changed', { tier: 'changing' })
    await fixture.store.complete(holderOf(request, await fixture.store.acquire(request)), okResponse())
  })

  it('wider than a shortened TTL take a key again after its record has expired', async () => {
    await fixture.store.registerTier('shortened', 864_000_000)
    await fixture.store.registerTier('shortened', 10_000)
    const request = acquireRequest('shortened', { tier: 'shortened' })
    for (const status of [201, 200]) {
      const holder = holderOf(request, await fixture.store.acquire(request))
      expect(await fixture.store.complete(holder, { ...okResponse(), status })).not.toBe('stale')
      expect(await fixture.store.acquire(request)).toMatchObject({ kind: 'replay', status })
      for (const table of ['idem_record', 'idem_body']) {
        await fixture.query(
          `UPDATE ${table} SET expires_at = clock_timestamp() - interval '1 ms' WHERE key = idem_key_bytes('shortened')`,
        )
      }
    }
  })

  it('are made at completion when the process slept past them', async () => {
    await fixture.store.registerTier('slept', 2_000)
    const request = acquireRequest('slept', { tier: 'slept' })
    const holder = holderOf(request, await fixture.store.acquire(request))
    await agePartitions('slept', 600_000)
    expect(await fixture.store.complete(holder, okResponse())).toMatchObject({ expiresAt: expect.any(Date) })
  })
})

describe('collection', () => {
  it('drops an expired partition with its bodies, and no other', async () => {
    await fixture.store.registerTier('collected', 60_000)
    const request = acquireRequest('old', { tier: 'collected' })
    await fixture.store.complete(
      holderOf(request, await fixture.store.acquire(request)),
      okResponse('x'.repeat(100)),
    )
    const open = acquireRequest('open', { tier: 'collected' })
    await fixture.store.acquire(open)
    for (const { partition } of await partitionsOf('collected')) {
      await expect(
        fixture.query('SELECT * FROM idem_collect_partition($1, 0)', [partition]),
      ).rejects.toMatchObject({
        code: '55000',
      })
    }
    await agePartitions('collected', 3_600_000)
    const [first] = await partitionsOf('collected')
    await expect(
      fixture.query('SELECT * FROM idem_collect_partition($1, 86400000)', [first?.partition]),
    ).rejects.toMatchObject({ code: '55000' })
    for (const { partition, expired } of await partitionsOf('collected')) {
      expect(expired).toBe(true)
      const [collected] = await fixture.query<{ bytes: string }>(
        'SELECT * FROM idem_collect_partition($1, 0)',
        [partition],
      )
      expect(Number(collected?.bytes)).toBeGreaterThan(0)
    }
    expect(await partitionsOf('collected')).toEqual([])
    expect(
      await fixture.query(
        "SELECT FROM pg_class WHERE relname ~ '^idem_(record|body)_t[0-9]+_' AND relname ~ (SELECT '_t' || tier || '_' FROM idem_tier WHERE name = 'collected')",
      ),
    ).toEqual([])
    // The unfinished key is where it was; the collected one is absent, and its partitions are made again.
    expect(await fixture.store.acquire(open)).toMatchObject({ kind: 'in_progress' })
    const again = holderOf(request, await fixture.store.acquire(request))
    expect(await fixture.store.complete(again, okResponse())).not.toBe('stale')
  })

  // How long an acquire stands in a queue meanwhile: collect-beside-readers.test.ts.
  it('gives way to a long reader, and acquires go on while it reads', async () => {
    await fixture.store.registerTier('read', 60_000)
    const request = acquireRequest('read', { tier: 'read' })
    await fixture.store.complete(holderOf(request, await fixture.store.acquire(request)), okResponse())
    await agePartitions('read', 3_600_000)
    await fixture.store.ensurePartitions('read')
    const [partition] = await partitionsOf('read')
    const reader = await fixture.pool.connect()
    await reader.query('BEGIN')
    await reader.query('SELECT count(*) FROM idem_record')
    const [collected, acquired] = await Promise.allSettled([
      fixture.query('SELECT * FROM idem_collect_partition($1, 0)', [partition?.partition]),
      fixture.store.acquire(acquireRequest('beside', { tier: 'read' })),
    ])
    expect(collected).toMatchObject({ status: 'rejected', reason: { code: '55P03' } })
    expect(acquired).toMatchObject({ status: 'fulfilled', value: { kind: 'acquired' } })
    await reader.query('COMMIT')
    reader.release()
    expect(
      await fixture.query('SELECT * FROM idem_collect_partition($1, 0)', [partition?.partition]),
    ).toHaveLength(1)
  })

  it('refuses what is no partition', async () => {
    for (const table of ['idem_lease', 'pg_class', 'idem_record']) {
      await expect(
        fixture.query('SELECT * FROM idem_collect_partition($1, 0)', [table]),
      ).rejects.toMatchObject({
        code: '42P01',
      })
    }
  })
})

describe('the console’s role', () => {
  it('can do what its verbs need, and nothing else', async () => {
    const role = `console_${Math.trunc(performance.now() * 1000)}`
    await fixture.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
    await fixture.query(grantsForConsole({ role }))
    const request = acquireRequest('granted')
    await fixture.store.acquire(request)
    const client = await fixture.pool.connect()
    try {
      await client.query(`SET ROLE ${role}`)
      const run = (sql: string) => client.query(sql)
      await run('SELECT idem_key_text(key) FROM idem_lease')
      await run("UPDATE idem_lease SET state = 'R' WHERE key = idem_key_bytes('granted')")
      await run('SELECT * FROM idem_partitions()')
      await run("SELECT idem_ensure_partitions(tier) FROM idem_tier WHERE name = 'default'")
      await run(`WITH lease AS (DELETE FROM idem_lease WHERE key = idem_key_bytes('granted') RETURNING *)
        INSERT INTO idem_record SELECT clock_timestamp() + interval '1 hour', created_at, fence, scope_id, tier, 200, 1, 'C', key, fingerprint, trace_id FROM lease`)
      for (const sql of [
        'DELETE FROM idem_record',
        'UPDATE idem_record SET status = 1',
        'INSERT INTO idem_lease SELECT * FROM idem_lease',
        'UPDATE idem_tier SET ttl_ms = 1000',
        "SELECT idem_register_tier('x', 1000)",
        'CREATE TABLE mine (id int)',
        'DROP TABLE idem_body',
      ]) {
        await expect(run(sql), sql).rejects.toMatchObject({ code: '42501' })
      }
    } finally {
      await client.query('RESET ROLE')
      client.release()
      await fixture.query(`DROP OWNED BY ${role}`)
      await fixture.query(`DROP ROLE ${role}`)
    }
    expect(await fixture.store.acquire(request)).toMatchObject({
      kind: 'replay',
      status: 200,
      body: new Uint8Array(),
    })
  })
})

it('takes at most 200 bytes a key for the record and its index', async () => {
  await fixture.store.registerTier('measured', 86_400_000)
  await fixture.query(`
    INSERT INTO idem_record SELECT clock_timestamp() + interval '1 day' - (i || ' ms')::interval, clock_timestamp(), i, 1,
      (SELECT tier FROM idem_tier WHERE name = 'measured'), 201, 1, 'C', uuid_send(gen_random_uuid()),
      uuid_send(gen_random_uuid()), uuid_send(gen_random_uuid())
    FROM generate_series(1, 20000) i`)
  const [size] = await fixture.query<{ bytes: number }>(
    `SELECT sum(pg_relation_size(c.oid) + pg_indexes_size(c.oid))::float8 / 20000 AS bytes FROM pg_class c
     WHERE c.relkind = 'r' AND c.relname LIKE (SELECT 'idem\\_record\\_t' || tier || '\\_%' FROM idem_tier WHERE name = 'measured')`,
  )
  console.log(`record: ${size?.bytes.toFixed(0)} bytes a key, heap and index`)
  expect(size?.bytes).toBeLessThan(200)
})
