import { z } from 'zod'
import type { DeletedBatch, ExpiredBatch, ExpiredRow, RowCollection, RowRetention } from '../contracts'
import { type Bind, createBinder } from './bind'
import type { MappedConfig } from './config'
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

type Position = z.infer<typeof positionSchema>

/** The rows behind a position and up to another, in the order of the walk. Its index serves: `key` only breaks ties. */
function between({ table }: Mapped, e: Expressions, bind: Bind, from: Position | null, to: Position | null) {
  const order = (at: Position): string => `(${bind(at.order, 'text')})::${e.orderType}`
  const side = (at: Position | null, strict: '<' | '>', wide: '<=' | '>='): string => {
    if (at === null) return 'true'
    // The upper end is a row of the window, the lower end the last row of the window before.
    if (table.isUnique(e.orderColumn)) return `${e.order} ${strict === '>' ? strict : wide} ${order(at)}`
    return `${e.order} ${wide} ${order(at)}
      AND (${e.order}, ${e.key} COLLATE "C") ${strict === '>' ? strict : wide} (${order(at)}, ${bind(at.key, 'text')})`
  }
  return `${side(from, '>', '>=')} AND ${side(to, '<', '<=')}`
}

/** A walk along an index, which never takes a row without a place on it: the window of the next `limit` rows, named `t` as the expressions want it, and its summary. */
function walk(mapped: Mapped, bind: Bind, from: Position | null, limit: number, retention: RowRetention) {
  const { config, table } = mapped
  const e = buildExpressions(config, table, bind)
  const unique = table.isUnique(e.orderColumn)
  const due = dueCondition(mapped, e, bind, retention)
  const window = `
    (SELECT t.* FROM ${table.from} t WHERE ${e.order} IS NOT NULL AND ${between(mapped, e, bind, from, null)}
     ORDER BY ${unique ? e.order : `${e.order}, ${e.key} COLLATE "C"`} LIMIT ${bind(limit, 'bigint')}) t`
  // Rows are walked in order of insertion: when all of a window are younger than the shortest retention, so is the rest.
  const shortestMs = shortestOf(mapped, retention)
  const summary = `count(*) AS scanned,
    min(${e.createdAt}) > clock_timestamp() - ${bind(shortestMs + retention.safetyMs, 'bigint')} * interval '1 millisecond' AS ahead,
    (array_agg(${e.order}))[count(*)]::text AS last_order,
    ${unique ? 'NULL::text' : `(array_agg(${e.key}))[count(*)]`} AS last_key,
    jsonb_path_query_array(jsonb_agg(jsonb_build_object('scope', ${e.scope()}, 'key', ${e.key}, 'state', ${e.state()},
      'createdAt', (${e.createdAt})::text)) FILTER (WHERE ${e.unfinished()} AND ${due}),
      '$[0 to ${UNFINISHED_LISTED_MAX - 1}]') AS unfinished`
  return { e, due, window, summary }
}

/** The clock is read once a statement: a row at a time it cost a tenth of the whole. */
function dueCondition(mapped: Mapped, e: Expressions, bind: Bind, retention: RowRetention): string {
  const passed = (ms: number): string =>
    `(SELECT clock_timestamp() - ${bind(ms, 'bigint')} * interval '1 millisecond')`
  const lifeMs = oneLifeOf(mapped, retention)
  return lifeMs === null
    ? `${expiryOf(e, bind, retention)} <= ${passed(retention.safetyMs)}`
    : [
        `${e.createdAt} <= ${passed(Math.max(lifeMs, usedMs(retention)) + retention.safetyMs)}`,
        ...e.usedUntil((usedAt) => `${usedAt} <= ${passed(usedMs(retention) + retention.safetyMs)}`),
      ].join(' AND ')
}

/** How long ago the last use of a row must be whose policy names all endpoints. */
const usedMs = (retention: RowRetention): number => (isBelow(retention, '*') ? 0 : retention.providerWindowMs)

const isBelow = ({ belowFloor = [] }: RowRetention, endpoint: string): boolean =>
  belowFloor.includes(endpoint)

/** How long every row is kept from its creation, whenever it was used last; null = it depends on the row. */
function oneLifeOf({ config }: Mapped, retention: RowRetention): number | null {
  const { ttlMs = {} } = retention
  if (Object.keys(ttlMs).some((endpoint) => endpoint !== '*')) return null
  const all = ttlMs['*']
  if (all !== undefined && isBelow(retention, '*')) return all
  return 'afterMs' in config.expiry ? Math.max(all ?? 0, config.expiry.afterMs) : null
}

/**
 * By the store's own expiry and the provider's window, whichever is later: until then a key can be replayed. A policy of
 * the endpoint can only keep it longer, unless it was taken out of that floor.
 */
function expiryOf(e: Expressions, bind: Bind, retention: RowRetention): string {
  const { ttlMs, providerWindowMs } = retention
  const floor = `${e.expiresAt}, ${e.lastUsedAt} + ${bind(providerWindowMs, 'bigint')} * interval '1 millisecond'`
  const own = Object.entries(ttlMs ?? {}).filter(([endpoint]) => endpoint !== '*')
  const all = ttlMs?.['*']
  const lasts = (endpoint: string, ms: number): string => {
    const end = `${e.createdAt} + ${bind(ms, 'bigint')} * interval '1 millisecond'`
    return isBelow(retention, endpoint) ? end : `greatest(${end}, ${floor})`
  }
  const otherwise = all === undefined ? `greatest(${floor})` : lasts('*', all)
  if (own.length === 0) return otherwise
  const cases = own.map(([endpoint, ms]) => `WHEN ${bind(endpoint, 'text')} THEN ${lasts(endpoint, ms)}`)
  return `CASE ${e.endpoint()} ${cases.join(' ')} ELSE ${otherwise} END`
}

function shortestOf({ config }: Mapped, retention: RowRetention): number {
  const own = 'afterMs' in config.expiry ? config.expiry.afterMs : 0
  const floor = Math.max(own, retention.providerWindowMs)
  const ttls = Object.entries({ '*': 0, ...retention.ttlMs })
  return Math.min(...ttls.map(([endpoint, ms]) => (isBelow(retention, endpoint) ? ms : Math.max(ms, floor))))
}

const END_STATES: Record<string, string> = { L: 'leased', R: 'retryable', U: 'unknown' }
const named = (found: z.infer<typeof unfinishedSchema> | null): ExpiredBatch['unfinished'] =>
  (found ?? []).map((each) => ({ ...each, state: END_STATES[each.state] ?? 'unknown' }))

const positionOf = (position: string | null): Position | null =>
  position === null ? null : positionSchema.parse(JSON.parse(position))

const endOf = (row: z.infer<typeof walkRow>): Position | null =>
  row.last_order === null ? null : { order: row.last_order, key: row.last_key ?? '' }

const nextOf = (row: z.infer<typeof walkRow>, limit: number): string | null =>
  row.scanned < limit || row.ahead !== false ? null : JSON.stringify(endOf(row))

/** Two statements, since one costs twice as much: the window's end is read, then its range is deleted where it is due. */
async function deleteExpired(
  mapped: Mapped,
  position: string | null,
  limit: number,
  retention: RowRetention,
): Promise<DeletedBatch> {
  const from = positionOf(position)
  const read = createBinder()
  const { window, summary } = walk(mapped, read.bind, from, limit, retention)
  const [raw] = await mapped.pool.query(`SELECT ${summary} FROM ${window}`, read.values)
  const row = walkRow.parse(raw)
  return {
    rows: row.ahead === false ? await deleteRange(mapped, { from, to: endOf(row) }, retention) : 0,
    scanned: row.scanned,
    unfinished: named(row.unfinished),
    next: nextOf(row, limit),
  }
}

function deleteRange(
  mapped: Mapped,
  range: { from: Position | null; to: Position | null },
  retention: RowRetention,
): Promise<number> {
  const { bind, values } = createBinder()
  const e = buildExpressions(mapped.config, mapped.table, bind)
  return mapped.pool.execute(
    `DELETE FROM ${mapped.table.from} t
     WHERE ${between(mapped, e, bind, range.from, range.to)} AND ${e.finished()} AND ${dueCondition(mapped, e, bind, retention)}`,
    values,
  )
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
  const { e, due, window, summary } = walk(mapped, bind, positionOf(position), limit, retention)
  const [raw] = await mapped.pool.query(
    `SELECT ${summary},
       coalesce(jsonb_agg(jsonb_build_object('scope', ${e.scope()}, 'key', ${e.key}, 'created_text', (${e.createdAt})::text,
         'expires_text', (${expiryOf(e, bind, retention)})::text, 'row', to_jsonb(t)))
         FILTER (WHERE ${e.finished()} AND ${due}), '[]') AS expired
     FROM ${window}`,
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
  return mapped.pool.execute(
    `DELETE FROM ${table.from} t USING unnest(${of('scope')}, ${of('key')}, ${of('createdAt')}) a(scope, key, created_at)
     WHERE t.${key.sql} = a.key::${key.type} AND ${identityOf(mapped, bind, rows)}
       AND ${e.scope()} = a.scope AND (${e.createdAt})::text = a.created_at AND ${e.finished()}
       AND ${dueCondition(mapped, e, bind, retention)}`,
    values,
  )
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
  return mapped.pool.execute(
    `INSERT INTO ${mapped.table.from} OVERRIDING SYSTEM VALUE
     SELECT r.* FROM jsonb_populate_recordset(NULL::${mapped.table.from}, $1::jsonb) r
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(rows.map(({ row }) => row))],
  )
}

async function waitingSessions({ pool }: Mapped): Promise<number> {
  const [row] = await pool.query(
    `SELECT count(DISTINCT pid) AS waiting FROM pg_locks
     WHERE NOT granted AND (database IS NULL OR database = (SELECT oid FROM pg_database WHERE datname = current_database()))`,
  )
  return z.object({ waiting: z.coerce.number() }).parse(row).waiting
}

export function rowCollection(config: MappedConfig, mapped: () => Promise<Mapped>): RowCollection {
  return {
    ownExpiryMs: 'afterMs' in config.expiry ? config.expiry.afterMs : null,
    readExpired: async (position, limit, retention) =>
      readExpired(await mapped(), position, limit, retention),
    deleteExpired: async (position, limit, retention) =>
      deleteExpired(await mapped(), position, limit, retention),
    deleteRows: async (rows, retention) => deleteRows(await mapped(), rows, retention),
    restoreRows: async (rows) => restoreRows(await mapped(), rows),
    waitingSessions: async () => waitingSessions(await mapped()),
  }
}
