import { z } from 'zod'
import type { DeletedBatch, ExpiredBatch, ExpiredRow, RowCollection, RowRetention } from '../contracts'
import { type Bind, createBinder } from './bind'
import { buildExpressions, type Expressions } from './expressions'
import type { Mapped } from './read'

/** What a batch names of unfinished keys past their retention; the rest is met again by the next run. */
const UNFINISHED_LISTED_MAX = 100

const positionSchema = z.object({ order: z.string(), key: z.string() })
const unfinishedSchema = z.array(
  z.object({ scope: z.string(), key: z.string(), state: z.string(), createdAt: z.string() }),
)
const walkRow = z.object({
  scanned: z.coerce.number(),
  ahead: z.boolean().nullable(),
  last_order: z.string().nullable(),
  last_key: z.string().nullable(),
  unfinished: unfinishedSchema.nullable(),
})

/** A walk along an index: the window of the next `limit` rows, with what is due and what is finished among them. */
function walk(mapped: Mapped, bind: Bind, position: string | null, limit: number, retention: RowRetention) {
  const { config, table } = mapped
  const e = buildExpressions(config, table, bind)
  const from = position === null ? null : positionSchema.parse(JSON.parse(position))
  const byKey = !table.isUnique(e.orderColumn)
  const after =
    from === null
      ? 'true'
      : byKey
        ? `${e.order} >= (${bind(from.order, 'text')})::${e.orderType} AND (${e.order}, ${e.key} COLLATE "C") >
           ((${bind(from.order, 'text')})::${e.orderType}, ${bind(from.key, 'text')})`
        : `${e.order} > (${bind(from.order, 'text')})::${e.orderType}`
  const due = `${expiryOf(e, bind, retention)} + ${bind(retention.safetyMs, 'bigint')} * interval '1 millisecond'
    <= clock_timestamp()`
  const orderBy = byKey ? `${e.order}, ${e.key} COLLATE "C"` : e.order
  const window = `
    SELECT t.ctid AS id, t.tableoid AS part, ${e.order} AS at, ${e.key} AS key, ${e.finished()} AS finished,
      ${due} AS due, ${e.createdAt} AS created_at,
      CASE WHEN ${e.unfinished()} THEN jsonb_build_object('scope', ${e.scope()}, 'key', ${e.key},
        'state', ${e.state()}, 'createdAt', (${e.createdAt})::text) END AS live
    FROM ${table.from} t WHERE ${after} ORDER BY ${orderBy} LIMIT ${bind(limit, 'bigint')}`
  // Rows are walked in order of insertion: when the last one is younger than the shortest retention, so is the rest.
  const shortestMs = shortestOf(mapped, retention)
  const summary = `
    SELECT count(*) AS scanned,
      max(w.created_at) > clock_timestamp() - ${bind(shortestMs + retention.safetyMs, 'bigint')} * interval '1 millisecond' AS ahead,
      (array_agg(w.at::text ORDER BY w.at DESC, w.key COLLATE "C" DESC))[1] AS last_order,
      (array_agg(w.key ORDER BY w.at DESC, w.key COLLATE "C" DESC))[1] AS last_key,
      jsonb_path_query_array(jsonb_agg(w.live) FILTER (WHERE w.due AND NOT w.finished), '$[0 to ${UNFINISHED_LISTED_MAX - 1}]') AS unfinished
    FROM w`
  return { e, window, summary }
}

/** By the store's own expiry, unless the policy has one of its own for the endpoint. */
function expiryOf(e: Expressions, bind: Bind, { ttlMs }: RowRetention): string {
  const own = Object.entries(ttlMs ?? {}).filter(([endpoint]) => endpoint !== '*')
  const all = ttlMs?.['*']
  const lasts = (ms: number): string => `${e.createdAt} + ${bind(ms, 'bigint')} * interval '1 millisecond'`
  const otherwise = all === undefined ? e.expiresAt : lasts(all)
  if (own.length === 0) return otherwise
  const cases = own.map(([endpoint, ms]) => `WHEN ${bind(endpoint, 'text')} THEN ${lasts(ms)}`)
  return `CASE ${e.endpoint()} ${cases.join(' ')} ELSE ${otherwise} END`
}

function shortestOf({ config }: Mapped, { ttlMs }: RowRetention): number {
  const own = 'afterMs' in config.expiry ? config.expiry.afterMs : 0
  return Math.min(ttlMs?.['*'] ?? own, ...Object.values(ttlMs ?? {}))
}

const END_STATES: Record<string, string> = { L: 'leased', R: 'retryable', U: 'unknown' }
const named = (found: z.infer<typeof unfinishedSchema> | null): ExpiredBatch['unfinished'] =>
  (found ?? []).map((each) => ({ ...each, state: END_STATES[each.state] ?? 'unknown' }))

function nextOf(row: z.infer<typeof walkRow>, limit: number): string | null {
  if (row.scanned < limit || row.ahead !== false || row.last_order === null) return null
  return JSON.stringify({ order: row.last_order, key: row.last_key ?? '' })
}

async function deleteExpired(
  mapped: Mapped,
  position: string | null,
  limit: number,
  retention: RowRetention,
): Promise<DeletedBatch> {
  const { bind, values } = createBinder()
  const { e, window, summary } = walk(mapped, bind, position, limit, retention)
  const [raw] = await mapped.pool.query(
    `WITH w AS MATERIALIZED (${window}),
     gone AS (
       DELETE FROM ${mapped.table.from} t USING w
       WHERE t.ctid = w.id AND t.tableoid = w.part AND w.due AND w.finished AND ${e.finished()} RETURNING 1
     )
     SELECT s.*, (SELECT count(*) FROM gone) AS rows FROM (${summary}) s`,
    values,
  )
  const row = walkRow.extend({ rows: z.coerce.number() }).parse(raw)
  return {
    rows: row.rows,
    scanned: row.scanned,
    unfinished: named(row.unfinished),
    next: nextOf(row, limit),
  }
}

const expiredRow = z.object({
  scope: z.string(),
  key: z.string(),
  created_text: z.string(),
  expires_text: z.string(),
  row: z.record(z.string(), z.unknown()),
})

async function readExpired(
  mapped: Mapped,
  position: string | null,
  limit: number,
  retention: RowRetention,
): Promise<ExpiredBatch> {
  const { bind, values } = createBinder()
  const { e, window, summary } = walk(mapped, bind, position, limit, retention)
  const [raw] = await mapped.pool.query(
    `WITH w AS MATERIALIZED (${window})
     SELECT s.*, coalesce((
       SELECT jsonb_agg(jsonb_build_object('scope', ${e.scope()}, 'key', ${e.key}, 'created_text', (${e.createdAt})::text,
         'expires_text', (${expiryOf(e, bind, retention)})::text, 'row', to_jsonb(t)))
       FROM w JOIN ${mapped.table.from} t ON t.ctid = w.id AND t.tableoid = w.part WHERE w.due AND w.finished
     ), '[]') AS expired
     FROM (${summary}) s`,
    values,
  )
  const row = walkRow.extend({ expired: z.array(expiredRow) }).parse(raw)
  return {
    expired: row.expired.map((each) => ({
      scope: each.scope,
      key: each.key,
      createdAt: each.created_text,
      expiresAt: each.expires_text,
      row: each.row,
    })),
    scanned: row.scanned,
    unfinished: named(row.unfinished),
    next: nextOf(row, limit),
  }
}

/** Exactly these, where they are still what was archived: finished, expired, and of the same life. */
async function deleteRows(
  mapped: Mapped,
  rows: readonly ExpiredRow[],
  retention: RowRetention,
): Promise<number> {
  if (rows.length === 0) return 0
  const { bind, values } = createBinder()
  const { config, table } = mapped
  const e = buildExpressions(config, table, bind)
  const of = (column: 'scope' | 'key' | 'createdAt') =>
    bind(
      rows.map((row) => row[column]),
      'text[]',
    )
  const key = table.column(config.columns.key)
  const deleted = await mapped.pool.query(
    `DELETE FROM ${table.from} t USING unnest(${of('scope')}, ${of('key')}, ${of('createdAt')}) a(scope, key, created_at)
     WHERE t.${key.sql} = a.key::${key.type} AND ${identityOf(mapped, bind, rows)}
       AND ${e.scope()} = a.scope AND (${e.createdAt})::text = a.created_at AND ${e.finished()}
       AND ${expiryOf(e, bind, retention)} + ${bind(retention.safetyMs, 'bigint')} * interval '1 millisecond' <= clock_timestamp()
     RETURNING 1 AS gone`,
    values,
  )
  return deleted.length
}

/** Narrows by the order column, which an index leads with: the key alone may lead none. */
function identityOf({ config, table }: Mapped, bind: Bind, rows: readonly ExpiredRow[]): string {
  const name = config.order ?? config.columns.createdAt
  const { sql, type } = table.column(name)
  const at = rows.map(({ row }) => row[name]).filter((value) => value !== null && value !== undefined)
  return `t.${sql} = ANY (${bind(at.map(String), 'text[]')}::${type}[])`
}

async function restoreRows(mapped: Mapped, rows: readonly ExpiredRow[]): Promise<number> {
  if (rows.length === 0) return 0
  const restored = await mapped.pool.query(
    `INSERT INTO ${mapped.table.from} OVERRIDING SYSTEM VALUE
     SELECT r.* FROM jsonb_populate_recordset(NULL::${mapped.table.from}, $1::jsonb) r
     ON CONFLICT DO NOTHING RETURNING 1 AS back`,
    [JSON.stringify(rows.map(({ row }) => row))],
  )
  return restored.length
}

async function waitingSessions({ pool }: Mapped): Promise<number> {
  const [row] = await pool.query(
    `SELECT count(DISTINCT pid) AS waiting FROM pg_locks
     WHERE NOT granted AND (database IS NULL OR database = (SELECT oid FROM pg_database WHERE datname = current_database()))`,
  )
  return z.object({ waiting: z.coerce.number() }).parse(row).waiting
}

export function rowCollection(mapped: () => Promise<Mapped>): RowCollection {
  return {
    readExpired: async (position, limit, retention) =>
      readExpired(await mapped(), position, limit, retention),
    deleteExpired: async (position, limit, retention) =>
      deleteExpired(await mapped(), position, limit, retention),
    deleteRows: async (rows, retention) => deleteRows(await mapped(), rows, retention),
    restoreRows: async (rows) => restoreRows(await mapped(), rows),
    waitingSessions: async () => waitingSessions(await mapped()),
  }
}
