import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { AppError } from '@/lib/core/errors'

export type Migration = { name: string; sql: string }

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('migrations', import.meta.url))

/** The migrations of this version, oldest first. */
export function readMigrations(): Migration[] {
  return readdirSync(MIGRATIONS_FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, sql: readFileSync(`${MIGRATIONS_FOLDER}/${name}/migration.sql`, 'utf8') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Throws `conflict` when the database was made by an unreleased version: it lacks our first migration, or has one of ours
 * with another text. Changes nothing. Migrations of a later version are no fault, so that one can go back to this one.
 */
export async function requireReleasedHistory(client: pg.Client, ours = readMigrations()): Promise<void> {
  const { rows: tables } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS there",
  )
  if (tables[0]?.there !== true) return
  const { rows: applied } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM public._prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  )
  const texts = new Map(ours.map(({ name, sql }) => [name, sql]))
  const unknown = applied.find(({ name }) => !texts.has(name))
  if (unknown !== undefined && !applied.some(({ name }) => name === ours[0]?.name))
    throw refusal(`migration ${unknown.name} is unknown here`)
  const changed = applied.find(({ name, checksum, finished }) => {
    const sql = texts.get(name)
    return finished && sql !== undefined && !checksumsOf(sql).includes(checksum)
  })
  if (changed !== undefined) throw refusal(`migration ${changed.name} is another one here`)
}

/** The same for the database that a URL names. */
export async function requireReleasedDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await requireReleasedHistory(client)
  } finally {
    await client.end()
  }
}

/** With either end of line: what a checkout makes of them depends on the platform. */
const checksumsOf = (sql: string): string[] => {
  const unix = sql.replaceAll('\r\n', '\n')
  return [unix, unix.replaceAll('\n', '\r\n')].map((text) => createHash('sha256').update(text).digest('hex'))
}

const refusal = (fact: string): AppError =>
  new AppError(
    'conflict',
    `This database was created by an unreleased version of Idemscope (${fact}); nothing was changed in it. Use a new database, or remove the data folder (IDEMSCOPE_DATA_DIR, .data by default) if it is the embedded PostgreSQL.`,
  )
