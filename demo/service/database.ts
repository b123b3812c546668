import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { grantsForConsole } from '../../sdk/stores/grants'
import { createPostgresStore } from '../../sdk/stores/postgres'
import { tiers } from './tiers'

/** Brings the service's database up to date: its own tables, the store's, and what the console's role may do. */
export async function prepareDatabase(url: string, consoleRole: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  try {
    await pool.query(await readFile(join(import.meta.dirname, 'schema.sql'), 'utf8'))
    const store = createPostgresStore({ pool })
    await store.migrate()
    for (const { name, ttlMs } of Object.values(tiers)) await store.registerTier(name, ttlMs)
    store.close()
    await pool.query(grantsForConsole({ role: consoleRole, schema: 'public' }))
    const role = pg.escapeIdentifier(consoleRole)
    await pool.query(`
      GRANT SELECT ON ledger_entry TO ${role};
      GRANT EXECUTE ON FUNCTION payments_apply_correction(jsonb) TO ${role};`)
  } finally {
    await pool.end()
  }
}
