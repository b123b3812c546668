import { createHash } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import { type Clock, sleep } from '../../clock'
import { describeBlocker } from './blocker'
import { borrowClient } from './borrow-client'
import { ownMigrations } from './own-migrations'
import { quoteIdentifier } from './quote'
import { type MigrationFile, readMigrations } from './read-migrations'
import { codeOf } from './unavailable'

export type MigrateOptions = {
  pool: Pool
  schema: string
  clock: Clock
  /** How long in all to try for the tables' locks. */
  waitMs: number
  /** Where the migrations are. Default: those of this version. */
  folder?: URL
}

/** Every request queues behind a migration that waits for a lock, so it waits this long and then gives way. */
const LOCK_TIMEOUT_MS = 100
/** Between two tries requests go on. */
const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 2_000

/**
 * Brings the store's tables to this version. Any number of processes may call it at once: each migration is one
 * transaction of one of them. Behind a transaction that holds a table it gives way and tries again, for `waitMs` in all;
 * then it throws and names that transaction. What it has applied by then stays. It changes nothing and throws when the tables
 * were made by an unreleased version; those of a later version are left alone, so that a service can go back to this one.
 */
export async function migrateStore(options: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = await migrationsOf(options.folder)
  const { client, release, rollBack } = await borrowClient(options.pool)
  try {
    const applied: string[] = []
    const untilMs = options.clock.nowMs() + options.waitMs
    for (const migration of await findMissing(client, options.schema, migrations)) {
      if (await applyGivingWay(client, options, migration, untilMs)) applied.push(migration.name)
    }
    return { applied }
  } catch (error) {
    await rollBack()
    throw error
  } finally {
    release()
  }
}

type Migration = MigrationFile & { checksum: string }

async function migrationsOf(folder: URL | undefined): Promise<Migration[]> {
  const files = folder === undefined ? await ownMigrations() : await readMigrations(folder)
  return files.map((file) => ({
    ...file,
    checksum: file.checksum ?? createHash('sha256').update(file.sql).digest('hex'),
  }))
}

/** Without a lock on any table of the store: most starts have nothing to do. */
async function findMissing(
  client: PoolClient,
  schema: string,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const table = `${quoteIdentifier(schema)}.idem_migration`
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    table,
  ])
  if (rows[0]?.there !== true) return [...migrations]
  const done = await client.query<{ name: string; checksum: string }>(
    `SELECT name, checksum FROM ${table} ORDER BY name`,
  )
  const checksums = new Map(done.rows.map((row) => [row.name, row.checksum]))
  const [oldest] = done.rows
  if (oldest !== undefined && migrations[0] !== undefined && !checksums.has(migrations[0].name)) {
    throw new Error(
      `the store in schema ${schema} was created by an unreleased version of @idemscope/sdk (migration ${oldest.name} is ` +
        'unknown here); nothing was changed in it. Use a new database or another schema',
    )
  }
  return migrations.filter((migration) => !isApplied(migration, checksums.get(migration.name), schema))
}

function isApplied({ name, checksum }: Migration, known: string | undefined, schema: string): boolean {
  if (known !== undefined && known !== checksum)
    throw new Error(`migration ${name} was changed after it was applied to ${schema}`)
  return known === checksum
}

/** False = another process has applied it meanwhile. */
async function applyGivingWay(
  client: PoolClient,
  { schema, clock, waitMs }: MigrateOptions,
  migration: Migration,
  untilMs: number,
): Promise<boolean> {
  for (let backoffMs = BACKOFF_MS_MIN; ; backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)) {
    try {
      return await apply(client, schema, migration, Math.max(LOCK_TIMEOUT_MS, untilMs - clock.nowMs()))
    } catch (error) {
      if (!LOCK_TROUBLE.has(codeOf(error))) throw error
      await client.query('ROLLBACK')
      if (clock.nowMs() >= untilMs) {
        const blocker = await describeBlocker(client, schema)
        throw new Error(
          `migration ${migration.name} could not lock its tables within ${waitMs / 1000} s and was not applied: ${blocker}. ` +
            'Requests go on with the tables as they are. End that transaction, then call migrate() again',
          { cause: error },
        )
      }
    }
    // Processes that started together should not try together.
    await sleep(clock, backoffMs * (0.5 + Math.random() / 2))
  }
}

/** Lock timeout; deadlock with requests that take the tables in another order. */
const LOCK_TROUBLE: ReadonlySet<unknown> = new Set(['55P03', '40P01'])

async function apply(
  client: PoolClient,
  schema: string,
  migration: Migration,
  queueMs: number,
): Promise<boolean> {
  const { name, sql, checksum } = migration
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  // Processes wait for one another here, where no request waits for them; not for ever, one may be stopped.
  await client.query(`SET LOCAL lock_timeout = ${Math.ceil(queueMs)}`)
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('idem_migration', 0))")
  await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
  if (schema !== 'public') await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`)
  // The functions keep this path (SET search_path FROM CURRENT).
  await client.query(`SET LOCAL search_path = ${quoteIdentifier(schema)}, pg_temp`)
  await client.query(
    `CREATE TABLE IF NOT EXISTS idem_migration (
      name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
  )
  const { rows } = await client.query<{ checksum: string }>(
    'SELECT checksum FROM idem_migration WHERE name = $1',
    [name],
  )
  const missing = !isApplied(migration, rows[0]?.checksum, schema)
  if (missing) {
    await client.query(sql)
    await client.query('INSERT INTO idem_migration (name, checksum) VALUES ($1, $2)', [name, checksum])
  }
  await client.query('COMMIT')
  return missing
}
