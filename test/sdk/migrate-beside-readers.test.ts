import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '@/sdk/clock'
import { migrateStore } from '@/sdk/stores/postgres/migrate'
import { startForeground } from './foreground'
import { createMigrationsFolder } from './migrations-folder'
import { createStoreFixture, type StoreFixture } from './support'

/** The next version, whose migration locks \`idem_lease\`. */
const NEXT = createMigrationsFolder(() => true, {
  '9999_next.sql': 'ALTER TABLE idem_lease ADD COLUMN next boolean',
})
const migrateToNext = ({ pool }: StoreFixture, waitMs = 60_000) =>
  migrateStore({ pool, schema: 'public', clock: systemClock, waitMs, folder: NEXT })

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(12)
})
afterAll(() => fixture.close())

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
  const refused = await migrateToNext(fixture, 1_500).catch((error: Error) => error.message)
  expect(refused).toMatch(
    new RegExp(
      `9999.* within 1.5 s .*process ${reader.pid} \\(user .*night-report, idle in transaction, since .*\\) holds idem_lease`,
    ),
  )
  // Requests went on all the while: without a lock timeout none would have come back before the reader.
  const before = foreground.executed()
  await expect.poll(() => foreground.executed()).toBeGreaterThan(before + 10)
  const migrated = migrateToNext(fixture)
  await reader.end()
  expect(await migrated).toEqual({ applied: ['9999_next.sql'] })
  const { longestMs } = await foreground.stop()
  expect(longestMs).toBeLessThan(5_000)
  // A process of this version starts beside it: there is nothing that it would have to do.
  expect(await fixture.store.migrate()).toEqual({ applied: [] })
})

it('a new tier behind an idle reader is made at once and holds up nobody', async () => {
  const reader = await idleReader('idem_record')
  const foreground = startForeground(fixture)
  await fixture.store.registerTier('late', 60_000)
  await reader.end()
  const { longestMs } = await foreground.stop()
  expect(longestMs).toBeLessThan(5_000)
})

it('a start with nothing to do takes no lock at all, whoever holds the tables', async () => {
  const client = await fixture.pool.connect()
  await client.query('BEGIN; LOCK TABLE idem_lease, idem_record IN ACCESS EXCLUSIVE MODE')
  expect(await fixture.store.migrate({ waitMs: 0 })).toEqual({ applied: [] })
  await client.query('ROLLBACK')
  client.release()
})

it('does not wait longer than it says for a process that migrates and is frozen', async () => {
  const old = await createStoreFixture()
  const frozen = await old.pool.connect()
  try {
    await frozen.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('idem_migration', 0))`)
    await expect(migrateToNext(old, 200)).rejects.toThrow('was not applied')
  } finally {
    await frozen.query('ROLLBACK')
    frozen.release()
    await old.close()
  }
})
