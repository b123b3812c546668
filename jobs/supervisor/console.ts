import { ensureFirstAdmin } from '@/lib/access/users'
import { systemClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import { createPostgresStore } from '../../sdk/stores/postgres'
import type { SignIn } from './demo/start-demo'

/** The schema of the console's own idempotency store: its mutations act once, too. */
export const CONSOLE_STORE_SCHEMA = 'idem'

/** The console's own store, and the first administrator when there is none; its password is told only here. */
export async function prepareConsole(
  databaseUrl: string,
  adminEmail: string | undefined,
): Promise<SignIn | undefined> {
  const db = openDatabase(databaseUrl, 2)
  try {
    await createPostgresStore({ pool: db.pool, schema: CONSOLE_STORE_SCHEMA }).migrate()
    if (adminEmail === undefined) return undefined
    const admin = await ensureFirstAdmin(db, systemClock, { email: adminEmail })
    return admin ? { role: 'admin', ...admin } : undefined
  } finally {
    await closeDatabase(db)
  }
}
