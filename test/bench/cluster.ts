import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '@/jobs/supervisor/embedded/postgres'
import { applyMigrations } from '@/prisma/engine'
import { exitOnSignals } from '../support/interrupted'
import { cpuSecondsOfFamily } from './cpu'

export type BenchCluster = {
  /** Creates a migrated console database and returns its URL. */
  createDatabase(name: string): Promise<string>
  dropDatabase(name: string): Promise<void>
  /** used so far by the server and its processes, those that ended included */
  cpuSeconds(): number
}

/** A cluster of its own with the settings that `npm start` uses (durable), removed afterwards. */
export async function withCluster(
  work: (cluster: BenchCluster) => Promise<void>,
  settings: string[] = [],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-bench-'))
  chmodSync(folder, 0o755)
  const remove = () => rmSync(folder, { recursive: true, force: true })
  exitOnSignals()
  process.once('exit', remove)
  const postgres = await startEmbeddedPostgres(folder, { settings })
  const admin = async (sql: string) => {
    const client = new pg.Client({ connectionString: postgres.url('postgres') })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  try {
    await work({
      async createDatabase(name) {
        await admin(`CREATE DATABASE ${name}`)
        await applyMigrations(postgres.url(name))
        return postgres.url(name)
      },
      cpuSeconds: () => cpuSecondsOfFamily(postgres.pid),
      dropDatabase: (name) => admin(`DROP DATABASE ${name} WITH (FORCE)`),
    })
  } finally {
    await postgres.stop()
    remove()
  }
}
