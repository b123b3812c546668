import { z } from 'zod'
import type { StoreSample } from '../contracts'
import { createBinder } from './bind'
import { buildExpressions } from './expressions'
import type { Mapped } from './read'

/** A sample looks at this many rows from either end of the table; beyond it, it is the planner's estimate. */
const LOOKED_ROWS = 10_000

const row = z.object({
  rows: z.coerce.bigint(),
  bytes: z.coerce.bigint(),
  expired_rows: z.coerce.bigint(),
  oldest_at: z.date().nullable(),
  oldest_expired_at: z.date().nullable(),
})

/**
 * Size and backlog without counting a large table: rows as the planner estimates them (exactly where the table is
 * small), the expired ones from the oldest end of the order column.
 */
export async function sample({ pool, config, table }: Mapped): Promise<StoreSample[]> {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const [raw] = await pool.query(
    `WITH size AS (
       SELECT sum(greatest(c.reltuples, 0))::bigint AS estimate, sum(pg_total_relation_size(c.oid))::bigint AS bytes
       FROM pg_partition_tree((${bind(table.from, 'text')})::regclass) p JOIN pg_class c ON c.oid = p.relid
     ), oldest AS (
       SELECT ${e.createdAt} AS created_at, ${e.expiresAt} AS expires_at, ${e.finished()} AS finished
       FROM ${table.from} t ORDER BY ${e.order} LIMIT ${LOOKED_ROWS}
     ), looked AS (
       SELECT count(*) AS rows, count(*) FILTER (WHERE finished AND expires_at <= clock_timestamp()) AS expired_rows,
         min(created_at) FILTER (WHERE expires_at > clock_timestamp()) AS oldest_at,
         min(expires_at) FILTER (WHERE finished AND expires_at <= clock_timestamp()) AS oldest_expired_at
       FROM oldest
     )
     SELECT CASE WHEN l.rows < ${LOOKED_ROWS} THEN l.rows ELSE greatest(s.estimate, l.rows) END AS rows,
       coalesce(s.bytes, 0) AS bytes, l.expired_rows, l.oldest_at, l.oldest_expired_at
     FROM size s, looked l`,
    values,
  )
  const found = row.parse(raw)
  return [
    {
      tier: 'all',
      rows: found.rows,
      bytes: found.bytes,
      expiredRows: found.expired_rows,
      oldestAt: found.oldest_at,
      oldestExpiredAt: found.oldest_expired_at,
    },
  ]
}
