import type { PoolClient } from 'pg'

/**
 * The oldest other transaction that holds a table of the store. What PostgreSQL hides from this role (another role's
 * query, application and times) is left out; the process id and what it holds are always seen.
 */
const OLDEST_HOLDER = `
  SELECT l.pid, max(l.mode) AS mode, min(c.relname::text) AS relation, a.usename::text AS user_name,
    nullif(a.application_name, '') AS application, a.state, a.xact_start, a.backend_type
  FROM pg_locks l
  JOIN pg_class c ON c.oid = l.relation
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND c.relnamespace = to_regnamespace(quote_ident($1)) AND c.relname ~ '^idem_'
  GROUP BY l.pid, a.usename, a.application_name, a.state, a.xact_start, a.backend_type
  ORDER BY a.xact_start NULLS LAST
  LIMIT 1`

type Holder = {
  pid: number
  mode: string
  relation: string
  user_name: string | null
  application: string | null
  state: string | null
  xact_start: Date | null
  backend_type: string | null
}

/** Who stands in the way of a migration, for its error. */
export async function describeBlocker(client: PoolClient, schema: string): Promise<string> {
  const { rows } = await client.query<Holder>(OLDEST_HOLDER, [schema])
  const [holder] = rows
  if (holder === undefined) return 'another transaction held them, which has ended since'
  const facts = [
    holder.user_name === null ? null : `user ${holder.user_name}`,
    holder.application === null ? null : `application ${holder.application}`,
    holder.state,
    holder.xact_start === null ? null : `since ${holder.xact_start.toISOString()}`,
  ].filter((fact) => fact !== null)
  const who = holder.backend_type === 'autovacuum worker' ? 'autovacuum' : 'the transaction'
  return `${who} of process ${holder.pid} (${facts.join(', ')}) holds ${holder.relation}, ${holder.mode}`
}
