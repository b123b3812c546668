import pg from 'pg'
import { z } from 'zod'
import { sqlStateOf } from '@/lib/core/sql-state'
import { SourceUnavailableError } from './contracts'
import { describeFault } from './source-fault'

export type SourcePool = {
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** For a statement that returns no rows: how many it changed. */
  execute(sql: string, values: unknown[]): Promise<number>
  close(): Promise<void>
}

export type SourcePoolOptions = {
  url: string
  /** Shown in pg_stat_activity of the service's database. */
  applicationName: string
  /** Not quoted: checked by the adapter's configuration. */
  schema?: string
  readOnly: boolean
  statementTimeoutMs: number
  poolMax: number
}

/** Stamps are compared as text, so the session that prints them is pinned. */
const SESSION = '-c timezone=UTC -c datestyle=ISO -c default_transaction_isolation=read\\ committed'

/** A small pool of its own for one source: what a source does to it, it does to nothing else. */
export function openSourcePool(options: SourcePoolOptions): SourcePool {
  const settings = [
    SESSION,
    options.schema === undefined ? '' : `-c search_path=${options.schema}`,
    options.readOnly ? '-c default_transaction_read_only=on' : '',
    `-c statement_timeout=${options.statementTimeoutMs}`,
    `-c idle_in_transaction_session_timeout=${options.statementTimeoutMs}`,
  ]
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    options: settings.filter(Boolean).join(' '),
    max: options.poolMax,
    connectionTimeoutMillis: Math.min(options.statementTimeoutMs, 5_000),
    // The server's own timeout comes first; this one is for a server that does not answer at all.
    query_timeout: options.statementTimeoutMs + 2_000,
    idleTimeoutMillis: 30_000,
    allowExitOnIdle: true,
  })
  // An idle connection that the server closed must not end the process; the next query reports it.
  pool.on('error', () => undefined)
  const run = (sql: string, values: unknown[]) =>
    pool.query<Record<string, unknown>>(sql, values).catch((cause: unknown) => {
      throw unavailable(cause)
    })
  return {
    query: async (sql, values = []) => (await run(sql, values)).rows,
    execute: async (sql, values) => (await run(sql, values)).rowCount ?? 0,
    close: () => pool.end(),
  }
}

const clockRow = z.object({ now: z.date() })

/** The server's own clock. */
export async function storeClock(pool: Pick<SourcePool, 'query'>): Promise<Date> {
  const [row] = await pool.query('SELECT clock_timestamp() AS now')
  return clockRow.parse(row).now
}

/** The SQLSTATE of what a source's pool threw, when the server said one. */
export function sqlState(error: unknown): string | undefined {
  return sqlStateOf(error instanceof SourceUnavailableError ? error.cause : error)
}

/** Never the connection string: pg puts no credentials into its messages. */
function unavailable(cause: unknown): SourceUnavailableError {
  const { fault, message, refused } = describeFault(cause)
  return new SourceUnavailableError(message, { cause, fault, refused })
}
