import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import { MIGRATIONS_FOLDER, type Migration, readMigrations, requireReleasedHistory } from './history'

// Prisma's schema engine as WebAssembly: `prisma migrate` would download a binary. It is an internal API, so its
// version is pinned exactly. It keeps the standard `_prisma_migrations` table.

const directory = fileURLToPath(new URL('.', import.meta.url))
const schemaPath = `${directory}schema.prisma`
const filters = { externalTables: [], externalEnums: [] }

let instantiated: Promise<void> | undefined

async function instantiate(): Promise<void> {
  const wasmPath = createRequire(import.meta.url)
    .resolve('@prisma/schema-engine-wasm')
    .replace(/schema_engine\.js$/, 'schema_engine_bg.wasm')
  const module = await WebAssembly.compile(readFileSync(wasmPath))
  const instance = await WebAssembly.instantiate(module, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  ;(instance.exports as { __wbindgen_start?: () => void }).__wbindgen_start?.()
}

/** Many processes may start at once; one migrates. */
const MIGRATION_LOCK = 4_363_001

const CHAR_OID = 18
const TEXT_OID = 25

/** Positions of the "char" columns of an answer: the adapter does not know that type, the engine needs it. */
const charColumns = new WeakMap<unknown[], number[]>()

function openCatalogPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  type Answer = pg.QueryResult<unknown[]>
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<Answer | Answer[]>
  pool.query = (async (...args: unknown[]) => {
    const answer = await query(...args)
    // A script of several statements answers with a list.
    for (const { fields, rows } of [answer].flat()) {
      const chars = fields.flatMap((field, position) => (field.dataTypeID === CHAR_OID ? [position] : []))
      for (const position of chars) Object.assign(fields[position] ?? {}, { dataTypeID: TEXT_OID })
      charColumns.set(rows, chars)
    }
    return answer
  }) as typeof pool.query
  return pool
}

/** Mends two things of the adapter: "char" columns, and scripts, which it cuts at each semicolon. */
class MigrationAdapter extends PrismaPg {
  private readonly pool: pg.Pool

  constructor(pool: pg.Pool) {
    super(pool)
    this.pool = pool
  }

  override async connect() {
    const adapter = await super.connect()
    const queryRaw = adapter.queryRaw.bind(adapter)
    adapter.queryRaw = async (query) => {
      const answer = await queryRaw(query)
      for (const position of charColumns.get(answer.rows) ?? [])
        answer.columnTypes[position] = ColumnTypeEnum.Character
      return answer
    }
    adapter.executeScript = async (script) => {
      await this.pool.query(script)
    }
    return adapter
  }
}

async function openEngine(url: string) {
  instantiated ??= instantiate()
  await instantiated
  const pool = openCatalogPool(url)
  const factory = bindMigrationAwareSqlAdapterFactory(new MigrationAdapter(pool))
  const datamodels: [string, string][] = [[schemaPath, readFileSync(schemaPath, 'utf8')]]
  const engine = await bindings.SchemaEngine.new({ datamodels }, () => undefined, factory)
  const close = async () => {
    engine.free()
    await pool.end()
  }
  return { engine, close }
}

/**
 * Applies what is missing, in order; returns the names applied. Safe to call from many processes at once. Throws `conflict`
 * for a database of an unreleased version. `last`: the newest one to apply, for a database as an earlier release left it.
 */
export async function applyMigrations(url: string, last?: string): Promise<string[]> {
  const migrations = readMigrations()
  const lock = new pg.Client({ connectionString: url })
  // The engine's own connection reports a server that ends; an idle one must not end this process.
  lock.on('error', () => undefined)
  await lock.connect()
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
    await requireReleasedHistory(lock, migrations)
    const wanted = migrations.filter(({ name }) => last === undefined || name <= last)
    return await apply(url, wanted)
  } finally {
    await lock.end()
  }
}

async function apply(url: string, migrations: readonly Migration[]): Promise<string[]> {
  const { engine, close } = await openEngine(url)
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: {
        baseDir: MIGRATIONS_FOLDER,
        lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
        shadowDbInitScript: '',
        migrationDirectories: migrations.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
        })),
      },
      filters,
    })
    return appliedMigrationNames
  } finally {
    await close()
  }
}

/** The SQL that would bring the database to schema.prisma; empty when they agree. */
export async function diffToSchema(url: string): Promise<string> {
  const { engine, close } = await openEngine(url)
  try {
    const files = [{ path: schemaPath, content: readFileSync(schemaPath, 'utf8') }]
    const result = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: directory },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters,
    })
    return result.stdout ?? ''
  } finally {
    await close()
  }
}
