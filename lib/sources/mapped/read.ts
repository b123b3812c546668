import { z } from 'zod'
import { SQLSTATE } from '@/lib/core/sql-state'
import { isUnreadable, type KeyReading, type LeasePage, setApart, UnreadableKeyError } from '../contracts'
import { type SourcePool, sqlState, storeClock } from '../postgres-pool'
import { createBinder } from './bind'
import type { MappedConfig } from './config'
import { buildExpressions } from './expressions'
import type { Table } from './resolve'
import { toLease, toReading, tryRow } from './rows'

const nowRow = z.object({ now: z.date() })

export type Mapped = { pool: SourcePool; config: MappedConfig; table: Table }

/** The clock is read first: what is said to be absent at `now` was absent then or later. */
export async function readLeases(mapped: Mapped, limit: number): Promise<LeasePage> {
  const { pool, config, table } = mapped
  const now = await storeClock(pool)
  if (config.state.kind === 'finished') return { now, leases: [], truncated: false }
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const rows = await pool.query(
    `SELECT ${e.select()} FROM ${table.from} t WHERE ${e.unfinished()}
     ORDER BY ${e.createdAt}, ${e.key} LIMIT ${bind(limit + 1, 'bigint')}`,
    values,
  )
  const { read, unreadable } = setApart(
    rows.slice(0, limit).map((raw) => tryRow(raw, (row) => toLease(row, config))),
  )
  return {
    now,
    leases: read,
    unreadable,
    truncated: rows.length > limit,
  }
}

/** One statement, so one snapshot. A key that cannot be one of this table's (no number, say) is absent. */
export async function readKey(mapped: Mapped, scope: string, key: string): Promise<KeyReading> {
  const { pool, config, table } = mapped
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const condition = e.identity(scope, key)
  const rows = await pool
    .query(
      `SELECT n.now, x.* FROM (SELECT clock_timestamp() AS now) n
     LEFT JOIN LATERAL (SELECT ${e.select()}, true AS there FROM ${table.from} t WHERE ${condition}
       ORDER BY ${e.createdAt} DESC LIMIT 1) x ON true`,
      values,
    )
    .catch((error: unknown) => {
      if (isNoValue(error)) return []
      throw error
    })
  const [raw] = rows
  if (raw === undefined) return toReading(await storeClock(pool), null, config)
  const { now } = nowRow.parse(raw)
  if (raw.there !== true) return toReading(now, null, config)
  const reading = tryRow(raw, (row) => toReading(now, row, config))
  if (isUnreadable(reading)) throw new UnreadableKeyError({ ...reading, scope, key }, now)
  return reading
}

/** The text is no value of the column's type. */
export function isNoValue(error: unknown): boolean {
  const state = sqlState(error)
  return state === SQLSTATE.invalidText || state === SQLSTATE.numberOutOfRange
}
