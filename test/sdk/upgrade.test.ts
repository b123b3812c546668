import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '@/sdk/clock'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { migrateStore } from '@/sdk/stores/postgres/migrate'
import { expectRowsKept, readAllRows } from '../support/all-rows'
import { createEmptyDatabase } from '../support/database'
import { createMigrationsFolder, OWN_MIGRATIONS } from './migrations-folder'
import { acquireRequest, holderOf, okResponse, openPool } from './support'

/** Each release with its newest migration; its rows are in `releases`. */
const RELEASES = [{ version: '0.1.0', last: '0001_first.sql' }]

describe.each(RELEASES)('a store of $version in use', ({ version, last }) => {
  const folder = createMigrationsFolder((name) => name <= last)
  let database: Awaited<ReturnType<typeof createEmptyDatabase>>
  let pool: pg.Pool
  let store: PostgresStore
  let before: Awaited<ReturnType<typeof readAllRows>>
  let after: typeof before
  let applied: string[]
  beforeAll(async () => {
    database = await createEmptyDatabase()
    pool = openPool(database.url, 4)
    await migrateStore({ pool, schema: 'public', clock: systemClock, waitMs: 1_000, folder })
    await pool.query(readFileSync(`test/sdk/releases/${version}.sql`, 'utf8'))
    before = await readAllRows(pool)
    store = createPostgresStore({ pool })
    applied = (await store.migrate()).applied
    after = await readAllRows(pool)
  })
  afterAll(async () => {
    store.close()
    await pool.end()
    await database.close()
  })

  it('is upgraded with all its rows', () => {
    expect(Object.keys(before).filter((table) => before[table]?.length === 0)).toEqual([])
    expect(applied).toEqual(OWN_MIGRATIONS.filter((name) => name > last))
    expectRowsKept(before, after)
  })

  it('replays what was completed before', async () => {
    const request = acquireRequest('completed')
    expect(await store.acquire(request)).toMatchObject({
      kind: 'replay',
      state: 'completed',
      status: 201,
      body: Buffer.from('{"id":1}'),
    })
  })

  it('lets a request that was acquired before end after', async () => {
    const request = acquireRequest('held')
    const { rows } = await pool.query<{ fence: string }>(
      'SELECT fence FROM idem_lease WHERE key = idem_key_bytes($1)',
      [request.key],
    )
    const holder = { ...request, fence: BigInt(rows[0]?.fence ?? 0) }
    expect(await store.acquire(request)).toMatchObject({ kind: 'in_progress' })
    expect(await store.heartbeat(holder, 10_000)).toBe(true)
    expect(await store.checkpoint(holder, 'sent', { mail: 1 })).toBe(true)
    expect(await store.complete(holder, okResponse())).not.toBe('stale')
    expect(await store.acquire(request)).toMatchObject({ kind: 'replay', state: 'completed' })
    expect(await store.complete({ ...holder, fence: holder.fence - 1n }, okResponse())).toBe('stale')
  })

  it('keeps an effect of unknown end unknown, and the steps of a key that was given back', async () => {
    expect(await store.acquire(acquireRequest('unknown'))).toMatchObject({ kind: 'unknown' })
    const request = acquireRequest('retryable')
    const acquired = await store.acquire(request)
    expect(acquired).toMatchObject({
      kind: 'takeover',
      attempt: 2,
      recoveryPoint: 'booked',
      steps: [
        {
          step: 'charge',
          state: 'committed',
          reference: 'ch_retryable',
          amountMinor: 1050n,
          currency: 'EUR',
        },
        { step: 'booked', kind: 'checkpoint', result: { row: 1 } },
      ],
    })
    expect(await store.complete(holderOf(request, acquired), okResponse())).not.toBe('stale')
  })
})

it('leaves a store of an unreleased version as it is, and says so in one line', async () => {
  const database = await createEmptyDatabase()
  const pool = openPool(database.url, 2)
  const store = createPostgresStore({ pool })
  try {
    await pool.query(`
      CREATE TABLE idem_migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz DEFAULT now());
      INSERT INTO idem_migration (name, checksum) VALUES ('0001_native.sql', 'a'), ('0002_leaves.sql', 'b');
      CREATE TABLE idem_lease (key text)`)
    await expect(store.migrate()).rejects.toThrow(
      /^the store in schema public was created by an unreleased version of @idemscope\/sdk \(migration 0001_native\.sql is unknown here\); nothing was changed in it\. Use .*$/,
    )
    const { rows } = await pool.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
    )
    expect(rows.map(({ relname }) => relname)).toEqual(['idem_lease', 'idem_migration'])
  } finally {
    store.close()
    await pool.end()
    await database.close()
  }
})
