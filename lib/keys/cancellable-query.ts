import { AppError } from '@/lib/core/errors'
import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import { type Db, inReadOnly } from '@/lib/db'

export type QueryLimits = {
  /** The server itself ends the statement then. */
  timeoutMs: number
  /** A reader who went away: the statement is cancelled in the server, not only forgotten here. */
  signal?: AbortSignal | undefined
}

/** One read on a connection of its own, which ends in the server when its time or its reader is over. Throws `timeout`. */
export async function queryCancellable(
  db: Db,
  sql: string,
  values: unknown[],
  { timeoutMs, signal }: QueryLimits,
): Promise<Record<string, unknown>[]> {
  signal?.throwIfAborted()
  try {
    return await inReadOnly(db.pool, timeoutMs, async (client) => {
      let running = true
      const { rows } = await client.query<{ pid: number }>(
        // A search is over before its plan would be compiled.
        `SELECT pg_backend_pid() AS pid, set_config('jit', 'off', true)`,
      )
      const cancel = () => {
        // Through another connection: this one is busy. The pid is still ours, since the connection is not given back.
        // Where it fails, the statement's own timeout ends it.
        if (running) db.pool.query('SELECT pg_cancel_backend($1)', [rows[0]?.pid]).catch(() => undefined)
      }
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        signal?.throwIfAborted()
        const result = await client.query<Record<string, unknown>>(sql, values)
        return result.rows
      } finally {
        running = false
        signal?.removeEventListener('abort', cancel)
      }
    })
  } catch (error) {
    if (sqlStateOf(error) !== SQLSTATE.queryCanceled) throw error
    signal?.throwIfAborted()
    throw new AppError(
      'timeout',
      'The search took too long: narrow it to one source, a scope or a longer prefix.',
      {
        cause: error,
      },
    )
  }
}
