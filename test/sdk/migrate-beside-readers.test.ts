import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createEmptyDatabase } from '../support/database'
import { startForeground } from './foreground'
import { openPool, type StoreFixture } from './support'

const MIGRATIONS = new URL('../../sdk/migrations/', import.meta.url)
/** The last version before a migration that locks `idem_lease`. */
const OLD = '0005_steps.sql'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createOldFixture()
})
afterAll(() => fixture.close())

/** A store in use that was never migrated beyond OLD. */
async function createOldFixture(): Promise<StoreFixture> {
  const database = await createEmptyDatabase()
  const pool = openPool(database.url, 12)
  const store = createPostgresStore({ pool })
  await pool.query(
    'CREATE TABLE idem_migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz DEFAULT now())',
  )
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort()
  for (const name of names.filter((name) => name <= OLD)) {
    const sql = await readFile(new URL(name, MIGRATIONS), 'utf8')
    await pool.query(`SET search_path = public, pg_temp; ${sql}; RESET search_path`)
    const checksum = createHash('sha256').update(sql).digest('hex')
    await pool.query('INSERT INTO idem_migration (name, checksum) VALUES ($1, $2)', [name, checksum])
  }
  await store.registerTier('default', 3_600_000)
  return {
    url: database.url,
    pool,
    store,
    query: async (sql, values = []) => (await pool.query(sql, values)).rows,
    async close() {
      store.close()
      await pool.end()
      await database.close()
    },
  }
}

/** Somebody who looked into a table and went for lunch. */
async function idleReader(table: string) {
  const client = await fixture.pool.connect()
  await client.query("SET application_name = 'night-report'")
  await client.query('BEGIN')
  await client.query(`SELECT count(*) FROM ${table}`)
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return {
    pid: rows[0]?.pid,
    async end() {
      await client.query('COMMIT')
      await client.query('RESET application_name')
      client.release()
    },
  }
}

it('a migration behind an idle reader gives way, names it, and goes through once it has ended', async () => {
  const reader = await idleReader('idem_lease')
  const foreground = startForeground(fixture)
  const refused = await fixture.store.migrate({ waitMs: 1_500 }).catch((error: Error) => error.message)
  expect(refused).toMatch(
    new RegExp(
      `0006.* within 1.5 s .*process ${reader.pid} \\(user .*night-report, idle in transaction, since .*\\) holds idem_lease`,
    ),
  )
  // Requests went on all the while: without a lock timeout none would have come back before the reader.
  const before = foreground.executed()
  await expect.poll(() => foreground.executed(), { timeout: 10_000 }).toBeGreaterThan(before + 10)
  const migrated = fixture.store.migrate()
  await reader.end()
  expect((await migrated).applied[0]).toMatch(/^0006/)
  const { longestMs } = await foreground.stop()
  expect(longestMs).toBeLessThan(1_000)
  expect(await fixture.store.migrate()).toEqual({ applied: [] })
}, 30_000)

it('a new tier behind an idle reader is made at once and holds up nobody', async () => {
  await fixture.store.migrate()
  const reader = await idleReader('idem_record')
  const foreground = startForeground(fixture)
  await fixture.store.registerTier('late', 60_000)
  await reader.end()
  const { longestMs } = await foreground.stop()
  expect(longestMs).toBeLessThan(1_000)
}, 30_000)

it('a start with nothing to do takes no lock at all, whoever holds the tables', async () => {
  await fixture.store.migrate()
  const client = await fixture.pool.connect()
  await client.query('BEGIN; LOCK TABLE idem_lease, idem_record IN ACCESS EXCLUSIVE MODE')
  expect(await fixture.store.migrate({ waitMs: 0 })).toEqual({ applied: [] })
  await client.query('ROLLBACK')
  client.release()
})

it('does not wait longer than it says for a process that migrates and is frozen', async () => {
  const old = await createOldFixture()
  const frozen = await old.pool.connect()
  try {
    await frozen.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('idem_migration', 0))`)
    await expect(old.store.migrate({ waitMs: 200 })).rejects.toThrow('was not applied')
  } finally {
    await frozen.query('ROLLBACK')
    frozen.release()
    await old.close()
  }
})
