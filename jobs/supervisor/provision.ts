import pg from 'pg'
import { giveBackAuditSql, takeAuditSql } from '@/lib/audit/owner'
import { requireReleasedHistory } from '@/prisma/history'
import type { KeptPostgres } from './embedded/keep-running'
import type { Secrets } from './secrets'

const DATABASES = [
  { database: 'idemscope', owner: 'idemscope' },
  { database: 'demo_payments', owner: 'payments_app' },
] as const

export type DatabaseUrls = { console: string; service: string; source: string }

/**
 * Roles and databases of the embedded cluster: the console owns its own database and nothing else; the demo service
 * owns the other, which the console reaches with the least-privilege role `idemscope_source`.
 */
export async function provision(
  postgres: Pick<KeptPostgres, 'port' | 'url'>,
  secrets: Secrets,
  demo: boolean,
): Promise<DatabaseUrls> {
  const client = openClient(postgres.url('postgres'))
  await client.connect()
  try {
    await ensureRole(client, 'idemscope', secrets.consolePassword)
    if (demo) {
      await ensureRole(client, 'payments_app', secrets.servicePassword)
      await ensureRole(client, 'idemscope_source', secrets.sourcePassword)
    }
    for (const { database, owner } of demo ? DATABASES : DATABASES.slice(0, 1)) {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database])
      if (rowCount === 0) await client.query(`CREATE DATABASE ${database} OWNER ${owner}`)
      await client.query(`REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`)
    }
    if (demo) await client.query('GRANT CONNECT ON DATABASE demo_payments TO idemscope_source')
  } finally {
    await client.end()
  }
  const url = (role: string, password: string, database: string) =>
    `postgres://${role}:${password}@127.0.0.1:${postgres.port}/${database}`
  return {
    console: url('idemscope', secrets.consolePassword, 'idemscope'),
    service: url('payments_app', secrets.servicePassword, 'demo_payments'),
    source: url('idemscope_source', secrets.sourcePassword, 'demo_payments'),
  }
}

const CONSOLE = { database: 'idemscope', role: 'idemscope' } as const

/** Migrations of the console run as its own role, which owns the audit for as long as they take. */
export async function migrateGuarded(
  postgres: Pick<KeptPostgres, 'url'>,
  migrate: () => Promise<unknown>,
): Promise<void> {
  const client = openClient(postgres.url(CONSOLE.database))
  await client.connect()
  try {
    // Before anything is changed: what cannot be migrated stays as it is.
    await requireReleasedHistory(client)
    await client.query(giveBackAuditSql(CONSOLE))
    await migrate()
    await client.query(takeAuditSql(CONSOLE))
  } finally {
    await client.end()
  }
}

/** A server that ends while nothing is asked of it must not end this process: the next query says so. */
function openClient(connectionString: string): pg.Client {
  const client = new pg.Client({ connectionString })
  client.on('error', () => undefined)
  return client
}

/** Role names are constants of this file and passwords are hex: neither needs quoting. */
async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role])
  await client.query(`${rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${role} LOGIN PASSWORD '${password}'`)
}
