import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { migrateGuarded } from '@/jobs/supervisor/provision'
import { applyMigrations } from '@/prisma/engine'
import { readMigrations } from '@/prisma/history'
import { readAllRows } from '../support/all-rows'
import { createEmptyDatabase } from '../support/database'

/** A database of a version from before the first release: none of its migrations is in the tree. */

let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let client: pg.Client
beforeEach(async () => {
  database = await createEmptyDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})
afterEach(async () => {
  await client.end()
  await database.close()
})

const HISTORY = `
  CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);
  INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES
    ('1', 'a', now(), '20261122000100_console'), ('2', 'b', now(), '20261122000200_telemetry');
  CREATE TABLE audit_entry (id bigint PRIMARY KEY);
  INSERT INTO audit_entry VALUES (1)`
const LINE =
  /^This database was created by an unreleased version of Idemscope \(migration 20261122000100_console is unknown here\); nothing was changed in it\. Use a new database, or remove the data folder .*\.$/

const catalog = async () => ({
  rows: await readAllRows(client),
  objects: (
    await client.query(
      `SELECT oid::regclass::text, relowner, relacl::text FROM pg_class
       WHERE relnamespace = 'public'::regnamespace ORDER BY 1`,
    )
  ).rows,
  history: (await client.query('SELECT * FROM _prisma_migrations ORDER BY id')).rows,
})

/** Runs a program of package.json against the database to its end. */
async function run(args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-unreleased-'))
  const ports = { PORT: String(await freePort()), OTLP_PORT: String(await freePort()) }
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      IDEMSCOPE_DATA_DIR: folder,
      ...ports,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  rmSync(folder, { recursive: true, force: true })
  return { out, lines: err.trim().split('\n'), code }
}

test.each([
  ['npm run migrate', ['prisma/migrate.ts']],
  ['npm start', ['jobs/supervisor/start.ts']],
])('%s ends with one line that says what to do, and changes nothing', async (_name, args) => {
  await client.query(HISTORY)
  const before = await catalog()
  const { lines, code } = await run(args)
  expect(lines).toEqual([expect.stringMatching(LINE)])
  expect(code).toBe(1)
  expect(await catalog()).toEqual(before)
})

test('the embedded PostgreSQL keeps the owner of its audit', async () => {
  await client.query(HISTORY)
  const before = await catalog()
  const migrating = migrateGuarded({ url: () => database.url }, () => applyMigrations(database.url))
  await expect(migrating).rejects.toThrow(LINE)
  expect(await catalog()).toEqual(before)
})

test('a first migration with another text is another version too', async () => {
  const [first] = readMigrations()
  await applyMigrations(database.url, first?.name)
  await client.query(`UPDATE _prisma_migrations SET checksum = 'other' WHERE migration_name = $1`, [
    first?.name,
  ])
  await expect(applyMigrations(database.url)).rejects.toThrow(`migration ${first?.name} is another one here`)
})

test('a database of a later version is taken as it is, so that one can go back', async () => {
  await applyMigrations(database.url)
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ('x', 'x', now(), '29990101000000_later')`,
  )
  expect(await applyMigrations(database.url)).toEqual([])
})
