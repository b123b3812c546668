import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IntentSource, LeaseRow, RecordRow } from '@/lib/sources/contracts'
import { SourceUnavailableError } from '@/lib/sources/contracts'
import { nativeConfigSchema } from '@/lib/sources/native/config'
import { openNativeSource } from '@/lib/sources/native/open'
import { grantsForConsole } from '@/sdk/stores/grants'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { createEmptyDatabase } from '../support/database'

/** The native adapter on the SDK's own tables, through the role that the SDK's grants make: least privilege. */

let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let service: pg.Pool
let store: PostgresStore
let source: IntentSource
const ROLE = `idemscope_test_${process.pid}`
const SCOPE = 'web/POST /v1/payments'
const OPTIONS = { actionId: 'act_1', graceMs: 1_000 }
const RESPONSE = { status: 201, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' }

beforeAll(async () => {
  database = await createEmptyDatabase()
  service = new pg.Pool({ connectionString: database.url, max: 5 })
  service.on('error', () => undefined)
  store = createPostgresStore({ pool: service })
  await store.migrate()
  await store.registerTier('standard', 86_400_000)
  await store.registerTier('short', 60_000)
  await service.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'least'`)
  await service.query(grantsForConsole({ role: ROLE }))
  const url = new URL(database.url)
  url.username = ROLE
  url.password = 'least'
  source = openNativeSource(nativeConfigSchema.parse({ overlapMs: 1_000 }), { url: url.href })
})
afterAll(async () => {
  await source.close()
  store.close()
  await service.query(`DROP OWNED BY ${ROLE}`)
  await service.query(`DROP ROLE ${ROLE}`)
  await service.end()
  await database.close()
})

async function hold(
  key: string,
  options: { expired?: boolean; tier?: string; step?: boolean } = {},
): Promise<LeaseRow> {
  const acquired = await store.acquire({
    scope: SCOPE,
    key,
    tier: options.tier ?? 'standard',
    fingerprint: Buffer.alloc(16, 1),
    owner: 'worker-1',
    leaseMs: 5_000,
    traceId: null,
  } as never)
  if (acquired.kind !== 'acquired') throw new Error(acquired.kind)
  if (options.step === true) {
    await service.query(
      `SELECT idem_start_effect($1, $2, (SELECT fence FROM idem_lease WHERE key = idem_key_bytes($2)), 'charge', 'stripe.charge', 'http', 'pk', 5000)`,
      [SCOPE, key],
    )
  }
  if (options.expired === true) {
    await service.query(
      `UPDATE idem_lease SET lease_until = clock_timestamp() - interval '1 minute' WHERE key = idem_key_bytes($1)`,
      [key],
    )
  }
  return read(key)
}

async function read(key: string): Promise<LeaseRow> {
  const { lease } = await source.readKey(SCOPE, key)
  if (lease === null) throw new Error('no lease')
  return lease
}

const finish = (key: string, client: pg.Pool | pg.PoolClient = service) =>
  client.query(
    `SELECT idem_complete($1, $2, (SELECT fence FROM idem_lease WHERE key = idem_key_bytes($2)), 'C', 201::smallint, '[]', $3)`,
    [SCOPE, key, Buffer.from('{"reference":"order-9","charge":"ch_9"}')],
  )

/** A transaction of the service. */
async function begin() {
  const client = await service.connect()
  await client.query('BEGIN')
  return {
    client,
    async commit() {
      await client.query('COMMIT')
      client.release()
    },
  }
}

/** Its record is stamped now, and there once it commits. */
async function finishLater(key: string) {
  const late = await begin()
  await finish(key, late.client)
  return late
}

describe('reading', () => {
  test('a lease comes whole, with exact stamps, its steps and a version', async () => {
    const lease = await hold('read-1', { step: true })
    expect(lease).toMatchObject({
      scope: SCOPE,
      key: 'read-1',
      state: 'leased',
      expired: false,
      owner: 'worker-1',
      tier: 'standard',
      attempts: 1,
      overdue: false,
    })
    expect(lease.effects).toMatchObject([
      { step: 'charge', name: 'stripe.charge', state: 'begun', providerKey: 'pk', reference: null },
    ])
    const { rows } = await service
      .query(`SET timezone = 'UTC'; SELECT 1`)
      .then(() =>
        service.query(
          `SELECT (created_at AT TIME ZONE 'UTC')::text AS at FROM idem_lease WHERE key = idem_key_bytes('read-1')`,
        ),
      )
    expect(lease.seen.createdAt.startsWith(rows[0].at)).toBe(true)
    expect(lease.version).toContain(lease.seen.heartbeatAt)
  })

  test('leases are bounded and say when there are more', async () => {
    await Promise.all([1, 2, 3].map((n) => hold(`bound-${n}`)))
    const { leases, truncated, now } = await source.readLeases({ limit: 2 })
    expect([leases.length, truncated]).toEqual([2, true])
    expect(Math.abs(now.getTime() - (await source.storeClock()).getTime())).toBeLessThan(5_000)
  })

  test('records come once each, in pages, over every tier, with what the response names', async () => {
    const keys = Array.from({ length: 25 }, (_, n) => `record-${n}`)
    for (const [n, key] of keys.entries()) {
      await hold(key, { tier: n % 2 === 0 ? 'standard' : 'short', step: true })
      await finish(key)
    }
    const all: RecordRow[] = []
    let cursor: string | null = null
    for (let more = true; more; ) {
      const page: Awaited<ReturnType<IntentSource['readRecords']>> = await source.readRecords(cursor, 4)
      expect(page.items.length).toBeLessThanOrEqual(4)
      all.push(...page.items)
      ;({ cursor, more } = page)
    }
    expect(all.map(({ key }) => key).sort()).toEqual([...keys].sort())
    expect(all[0]).toMatchObject({ state: 'completed', status: 201, reference: 'order-9', names: ['ch_9'] })
    expect(all[0]?.effects).toMatchObject([{ step: 'charge', state: 'begun' }])
    await hold('record-late')
    await finish('record-late')
    const next = await source.readRecords(cursor, 100)
    expect(next.items.map(({ key }) => key)).toContain('record-late')
  })

  test('records completed after a tier’s TTL was shortened are not skipped', async () => {
    const before = await source.readRecords(null, 1_000)
    await store.registerTier('standard', 3_600_000)
    await hold('ttl-short')
    await finish('ttl-short')
    const page = await source.readRecords(before.cursor, 1_000)
    expect(page.items.map(({ key }) => key)).toContain('ttl-short')
    await store.registerTier('standard', 86_400_000)
  })

  test('records completed while a tier’s TTL was shorter for a moment are not skipped', async () => {
    const before = await source.readRecords(null, 1_000)
    await store.registerTier('standard', 3_600_000)
    await hold('ttl-between')
    await finish('ttl-between')
    await store.registerTier('standard', 86_400_000)
    const page = await source.readRecords(before.cursor, 1_000)
    expect(page.items.map(({ key }) => key)).toContain('ttl-between')
    // Once it has caught up, a pass reads little again; a transaction of another test file holds it back until it ends.
    let { cursor } = page
    const readNext = async () => {
      const next = await source.readRecords(cursor, 1_000)
      cursor = next.cursor
      return next.items.map(({ key }) => key)
    }
    await expect.poll(readNext).not.toContain('ttl-between')
  })

  test('a record that commits after its tier’s TTL was lengthened is not skipped', async () => {
    await hold('ttl-grown', { tier: 'short' })
    const { cursor } = await source.readRecords(null, 1_000)
    const late = await finishLater('ttl-grown')
    await store.registerTier('short', 3_600_000)
    const beside = await source.readRecords(cursor, 1_000)
    const again = await source.readRecords(beside.cursor, 1_000)
    await late.commit()
    const page = await source.readRecords(again.cursor, 1_000)
    expect(page.items.map(({ key }) => key)).toContain('ttl-grown')
    await store.registerTier('short', 60_000)
  })

  test('nor when, before it commits, a transaction ends that is older than the feed', async () => {
    const old = await begin()
    await old.client.query('SELECT 1')
    await hold('ttl-grown-2', { tier: 'short' })
    const { cursor } = await source.readRecords(null, 1_000)
    const late = await finishLater('ttl-grown-2')
    await store.registerTier('short', 3_600_000)
    await old.commit()
    // This pass reads from the beginning, and must not forget under which TTL the open transaction stamped its record.
    const beside = await source.readRecords(cursor, 1_000)
    await late.commit()
    const page = await source.readRecords(beside.cursor, 1_000)
    expect(page.items.map(({ key }) => key)).toContain('ttl-grown-2')
    await store.registerTier('short', 60_000)
  })

  test('a key is absent, leased, or done', async () => {
    expect(await source.readKey(SCOPE, 'nobody')).toMatchObject({ lease: null, record: null })
    await hold('done')
    await finish('done')
    expect(await source.readKey(SCOPE, 'done')).toMatchObject({
      lease: null,
      record: { expired: false, response: { status: 201 } },
    })
  })
})

describe('acting', () => {
  test('a release keeps the key and its steps as retryable, and shuts the zombie out', async () => {
    const seen = await hold('rel-1', { expired: true, step: true })
    expect(await source.release(seen.seen, OPTIONS)).toMatchObject({ kind: 'done' })
    const after = await read('rel-1')
    expect(after).toMatchObject({ state: 'retryable', owner: 'idemscope:act_1' })
    expect(after.fence).toBeGreaterThan(seen.fence)
    expect(after.effects).toHaveLength(1)
    const { rows } = await service.query(`SELECT idem_heartbeat($1, 'rel-1', $2, 5000) AS alive`, [
      SCOPE,
      seen.seen.fence,
    ])
    expect(rows).toEqual([{ alive: false }])
    expect(await source.release(seen.seen, OPTIONS)).toMatchObject({
      kind: 'refused',
      reason: 'fence_changed',
    })
  })

  test('a live holder, and one within its grace, is left alone', async () => {
    const alive = await hold('alive')
    expect(await source.release(alive.seen, OPTIONS)).toMatchObject({
      kind: 'refused',
      reason: 'holder_alive',
    })
    const expired = await hold('grace', { expired: true })
    expect(await source.release(expired.seen, { ...OPTIONS, graceMs: 3_600_000 })).toMatchObject({
      reason: 'holder_alive',
    })
    expect(await read('alive')).toMatchObject({ state: 'leased', fence: alive.fence })
  })

  test('one microsecond of difference refuses', async () => {
    const seen = await hold('micro', { expired: true })
    await service.query(
      `UPDATE idem_lease SET heartbeat_at = heartbeat_at + interval '1 microsecond' WHERE key = idem_key_bytes('micro')`,
    )
    expect(await source.release(seen.seen, OPTIONS)).toMatchObject({
      kind: 'refused',
      reason: 'state_changed',
    })
  })

  test('what is gone, and another life of the key, is gone', async () => {
    const seen = await hold('gone', { expired: true })
    await finish('gone')
    expect(await source.release(seen.seen, OPTIONS)).toMatchObject({ reason: 'gone', current: null })
    const first = await hold('life', { expired: true })
    await service.query(`DELETE FROM idem_lease WHERE key = idem_key_bytes('life')`)
    await hold('life', { expired: true })
    expect(await source.release(first.seen, OPTIONS)).toMatchObject({ reason: 'gone' })
  })

  test('a completion stores the response as the SDK would, with the effect the provider told, under a new fence', async () => {
    const seen = await hold('comp', { expired: true, step: true })
    const settled = [{ step: 'charge', reference: 'ch_7', amountMinor: 1050n, currency: 'USD' }]
    expect(await source.complete(seen.seen, { ...OPTIONS, response: RESPONSE, settled })).toMatchObject({
      kind: 'done',
    })
    const { lease, record } = await source.readKey(SCOPE, 'comp')
    expect(lease).toBeNull()
    expect(record).toMatchObject({ state: 'completed', status: 201, response: RESPONSE })
    expect(record?.effects).toMatchObject([
      { state: 'committed', reference: 'ch_7', amountMinor: 1050n, currency: 'USD' },
    ])
    expect(record?.fence).toBeGreaterThan(seen.fence)
    const replayed = await store.acquire({
      scope: SCOPE,
      key: 'comp',
      tier: 'standard',
      fingerprint: Buffer.alloc(16, 1),
      owner: 'w',
      leaseMs: 5_000,
      traceId: null,
    } as never)
    expect(replayed.kind).toBe('replay')
    const { rows } = await service.query(
      `SELECT * FROM idem_complete($1, 'comp', $2, 'C', 200::smallint, '[]', '')`,
      [SCOPE, seen.seen.fence],
    )
    expect(rows[0].created_at).toBeNull()
  })

  test('of a completing holder and a releasing operator exactly one wins', async () => {
    for (let n = 0; n < 20; n++) {
      const seen = await hold(`race-${n}`, { expired: true })
      const [operator, holder] = await Promise.all([
        source.release(seen.seen, OPTIONS),
        service.query(`SELECT * FROM idem_complete($1, $2, $3, 'C', 201::smallint, '[]', '')`, [
          SCOPE,
          `race-${n}`,
          seen.seen.fence,
        ]),
      ])
      expect([operator.kind === 'done', holder.rows[0].created_at !== null].filter(Boolean)).toHaveLength(1)
    }
  })

  test('two operators release once', async () => {
    const seen = await hold('two', { expired: true })
    const answers = await Promise.all([
      source.release(seen.seen, OPTIONS),
      source.release(seen.seen, OPTIONS),
    ])
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['done', 'refused'])
  })
})

test('partitions: those that may hold live records are not due, unknown ones are gone', async () => {
  const partitions = await source.listPartitions()
  const last = partitions.at(-1)
  expect(last?.expired).toBe(false)
  expect(await source.collectPartition(last?.partition ?? '', 0)).toEqual({ kind: 'not_due' })
  expect(await source.collectPartition('idem_record_t1_1', 0)).toEqual({ kind: 'gone' })
  expect((await source.sample()).map(({ tier }) => tier)).toEqual(['short', 'standard'])
})

test('a store that is not there is unavailable, and says nothing of its password', async () => {
  const url = new URL(database.url)
  url.port = '1'
  url.password = 'very-secret'
  const down = openNativeSource(nativeConfigSchema.parse({ statementTimeoutMs: 500 }), { url: url.href })
  const error = await down.readKey(SCOPE, 'k').catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(SourceUnavailableError)
  expect(String(error)).not.toContain('very-secret')
  await down.close()
})
