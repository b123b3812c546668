import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import { queryCancellable } from '@/lib/keys/cancellable-query'
import { countKeys } from '@/lib/keys/count-keys'
import { listKeys } from '@/lib/keys/list-keys'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase
const ctx = () => ({ db: database.db, clock: systemClock })
beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database.db
  await pool.query(
    `INSERT INTO source (id, kind, adapter, name, system, config, created_at) VALUES ('src_a', 'intent', 'native', 'a', 's', '{}', now())`,
  )
  await pool.query(`
    INSERT INTO mirror.object (version, seq, born_seq, operation_id, occurred_at, staged_at, source_id, object_id, system, side,
      kind, status, scope, key, provider_ref, lease_until, expires_at, content_hash, data)
    SELECT 1, nextval('mirror.seq'), 1, n, now() - n * interval '1 s', now(), 'src_a', 'o' || n, 's', 'intent', 'key',
      CASE WHEN n % 1000 = 0 THEN 'leased' ELSE 'completed' END, 'web/POST /v1/payments', 'key_' || lpad(n::text, 6, '0'),
      'ch_' || n, now() - interval '1 hour', now() + (n - 15000) * interval '1 s', '\\x00',
      jsonb_build_object('traceId', lpad(to_hex(n), 32, '0'), 'attempts', 1)
    FROM generate_series(1, 30000) n`)
  await pool.query('ANALYZE mirror.object')
})
afterAll(() => database.close())

const keysOf = async (filter: Parameters<typeof listKeys>[1]) =>
  (await listKeys(ctx(), filter, { limit: 5 })).items.map(({ key }) => key)

test('found by key, prefix, trace and provider reference; a wildcard in a prefix is a letter', async () => {
  expect(await keysOf({ key: 'key_000042' })).toEqual(['key_000042'])
  expect((await keysOf({ prefix: 'key_02000' })).sort()).toEqual(
    [0, 1, 2, 3, 4].map((n) => `key_02000${n + 5}`),
  )
  expect(await keysOf({ traceId: '2A'.padStart(32, '0') })).toEqual(['key_000042'])
  expect(await keysOf({ providerRef: 'ch_77' })).toEqual(['key_000077'])
  expect(await keysOf({ prefix: 'key%0' })).toEqual([])
  await expect(keysOf({ prefix: 'ke' })).rejects.toMatchObject({ code: 'invalid' })
  expect(await keysOf({ state: 'leased' })).toEqual([])
  expect(await keysOf({ state: 'lease_expired' })).toHaveLength(5)
})

test('pages go on by the last row, and lose none: the last changed first, the last expired first', async () => {
  for (const [state, total, limit] of [
    ['lease_expired', 30, 7],
    ['expired', 14_986, 1_500],
  ] as const) {
    const seen: string[] = []
    const expiries: string[] = []
    let cursor: string | undefined
    do {
      const page = await listKeys(ctx(), { state }, { limit, cursor })
      seen.push(...page.items.map(({ key }) => key))
      expiries.push(...page.items.map(({ expiresAt }) => expiresAt ?? ''))
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    expect(new Set(seen).size).toBe(seen.length)
    expect(Math.abs(seen.length - total)).toBeLessThan(60)
    if (state === 'expired') expect(expiries).toEqual([...expiries].sort().reverse())
  }
})

test('counts stop at 10,000 and say so; what took too long is not measured', async () => {
  const facets = await countKeys(ctx(), {})
  expect(facets.states).toMatchObject({
    completed: { count: 10_000, capped: true },
    expired: { count: 10_000, capped: true },
    lease_expired: { count: 30, capped: false },
    leased: { count: 0, capped: false },
  })
  expect(facets.sources).toEqual([{ source: 'src_a', count: 10_000, capped: true }])
  expect((await countKeys(ctx(), { prefix: 'key_0000' })).sources).toMatchObject([
    { count: 99, capped: false },
  ])
})

test('each search finds an index', async () => {
  for (const [condition, index] of [
    [`o.key LIKE 'key\\_0200%'`, 'object_key'],
    [`o.data->>'traceId' = 'x'`, 'object_key_trace'],
    [`o.provider_ref = 'ch_1'`, 'object_provider'],
    [`o.gone_at IS NULL AND o.status = 'retryable'`, 'object_key_state'],
    [`o.gone_at IS NULL AND o.scope = 'rare'`, 'object_key_scope'],
  ]) {
    const { rows } = await database.db.pool.query(
      `EXPLAIN SELECT FROM mirror.object o WHERE o.side = 'intent' AND o.kind = 'key' AND ${condition}`,
    )
    expect(JSON.stringify(rows)).toContain(index)
  }
})

test('a reader who goes away ends the statement in the server; so does its time', async () => {
  const controller = new AbortController()
  const reading = queryCancellable(database.db, 'SELECT pg_sleep(30)', [], {
    timeoutMs: 60_000,
    signal: controller.signal,
  })
  const sleeping = async () =>
    (
      await database.db.pool.query(
        `SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'`,
      )
    ).rowCount
  await expect.poll(sleeping).toBe(1)
  controller.abort()
  await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
  expect(await sleeping()).toBe(0)
  await expect(
    queryCancellable(database.db, 'SELECT pg_sleep(30)', [], { timeoutMs: 50 }),
  ).rejects.toMatchObject({ code: 'timeout' })
  expect((await database.db.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
})
