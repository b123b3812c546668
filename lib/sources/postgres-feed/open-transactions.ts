import { z } from 'zod'
import type { SourcePool } from '../postgres-pool'

export type OpenTransactions = {
  /** The source's clock before anything was looked at. Of a standby, up to when it has replayed. */
  at: string
  position: string | null
  standby: boolean
  /** Every transaction below has ended; none at or above `xmax` had begun to write. */
  xmin: bigint
  xmax: bigint
  /** Of a primary. `since` = null where the role may not see it. */
  open: { id: string; since: string | null; prepared: boolean }[]
}

const UTC = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`
const text = (time: string) => `to_char((${time}) AT TIME ZONE 'UTC', ${UTC})`

/**
 * Each transaction holds a lock on its virtual id from its beginning to its end, whether it has written or not, and every
 * role may see that; when it began takes pg_read_all_stats. A vacuum and its like write no rows of ours, nor does a session
 * that is still being opened, which has no database yet.
 */
const seenSql = (highest: string | null) => `
  SELECT ${text(`CASE WHEN pg_is_in_recovery() THEN least(statement_timestamp(), coalesce(pg_last_xact_replay_timestamp(),
      pg_postmaster_start_time())) ELSE statement_timestamp() END`)} AS at,
    ${highest === null ? 'NULL::text' : `(${highest})`} AS position, pg_is_in_recovery() AS standby,
    NOT pg_is_in_recovery() AND current_setting('max_prepared_transactions')::int > 0 AS two_phase,
    pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, pg_snapshot_xmax(pg_current_snapshot())::text AS xmax,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.virtualtransaction, 'since', ${text('a.xact_start')})), '[]')
     FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
       AND coalesce(a.datname, current_database()) = current_database()
       AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender', 'parallel worker')
       AND coalesce(a.state, '') <> 'starting') AS open`

const seenRow = z.object({
  at: z.string(),
  position: z.string().nullable(),
  standby: z.boolean(),
  two_phase: z.boolean(),
  xmin: z.coerce.bigint(),
  xmax: z.coerce.bigint(),
  open: z.array(z.object({ id: z.string(), since: z.string().nullable() })),
})

const PREPARED = `SELECT 'prepared ' || transaction::text AS id, ${text('prepared')} AS since
  FROM pg_prepared_xacts WHERE database = current_database()`

const preparedRow = z.object({ id: z.string(), since: z.string() })

/** Prepared ones last: a transaction that is prepared meanwhile is then in both, never in neither. */
export async function readOpenTransactions(
  pool: SourcePool,
  highest: string | null,
): Promise<OpenTransactions> {
  const [raw] = await pool.query(seenSql(highest))
  const seen = seenRow.parse(raw)
  const prepared = seen.two_phase ? z.array(preparedRow).parse(await pool.query(PREPARED)) : []
  return {
    ...seen,
    open: [
      ...seen.open.map((each) => ({ ...each, prepared: false })),
      ...prepared.map((each) => ({ ...each, prepared: true })),
    ],
  }
}
