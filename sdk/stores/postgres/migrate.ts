import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { Pool, PoolClient } from 'pg'
import { quoteIdentifier } from './quote'

/**
 * Brings the store's tables to this version. Any number of processes may call it at once: one works, the others
 * wait for it and then find nothing to do. Each migration is one transaction.
 */
export async function migrateStore(pool: Pool, schema: string): Promise<{ applied: string[] }> {
  const migrations = await readMigrations()
  const client = await pool.connect()
  try {
    return { applied: await applyMissing(client, schema, migrations) }
  } finally {
    client.release()
  }
}

type Migration = { name: string; sql: string; checksum: string }

async function readMigrations(): Promise<Migration[]> {
  // Read when called, and by a path that bundlers cannot follow: a bundle without the files fails here only.
  const here = [import.meta.url].join()
  const folder = new URL('../../migrations/', here)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function applyMissing(client: PoolClient, schema: string, migrations: Migration[]): Promise<string[]> {
  const applied: string[] = []
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  try {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('idem_migration', 0))")
    if (schema !== 'public') await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`)
    // The functions keep this path (SET search_path FROM CURRENT).
    await client.query(`SET LOCAL search_path = ${quoteIdentifier(schema)}, pg_temp`)
    await client.query(
      `CREATE TABLE IF NOT EXISTS idem_migration (
        name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
    )
    const done = await client.query<{ name: string; checksum: string }>(
      'SELECT name, checksum FROM idem_migration',
    )
    const checksums = new Map(done.rows.map((row) => [row.name, row.checksum]))
    for (const { name, sql, checksum } of migrations) {
      const known = checksums.get(name)
      if (known === checksum) continue
      if (known !== undefined)
        throw new Error(`migration ${name} was changed after it was applied to ${schema}`)
      await client.query(sql)
      await client.query('INSERT INTO idem_migration (name, checksum) VALUES ($1, $2)', [name, checksum])
      applied.push(name)
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
  return applied
}
