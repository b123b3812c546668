import type { MessageOutcome, SeenMessage } from '../contracts'
import { createBinder } from '../mapped/bind'
import { assign } from '../mapped/operate'
import { isNoValue } from '../mapped/read'
import type { Table } from '../mapped/resolve'
import type { SourcePool } from '../postgres-pool'
import type { MappedOutboxConfig } from './config'
import { buildExpressions } from './expressions'
import { toMessage } from './rows'

/** One UPDATE of a dead row whose version is the one that was seen; writes what the mapping says. */
export async function operate(
  { pool, config, table }: { pool: SourcePool; config: MappedOutboxConfig; table: Table },
  verb: 'redrive' | 'discard',
  { place, version }: SeenMessage,
  actionId: string,
): Promise<MessageOutcome> {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const { id, actionId: actionColumn } = config.columns
  const set = [
    ...assign(config, table, bind, config[verb]?.set ?? {}),
    ...(actionColumn === undefined ? [] : assign(config, table, bind, { [actionColumn]: actionId })),
  ]
  const [row] = await pool
    .query(
      `UPDATE ${table.from} t SET ${set.join(', ')}
       WHERE ${e.equals(id, place)} AND ${e.version} = ${bind(version, 'text')} AND ${e.dead()}
       RETURNING ${e.select()}`,
      values,
    )
    .catch((error: unknown) => {
      if (isNoValue(error)) return []
      throw error
    })
  if (row !== undefined) return done(row, config)
  return (await wasDone(pool, config, table, place, actionId)) ?? { kind: 'refused', reason: 'changed' }
}

function done(row: Record<string, unknown>, config: MappedOutboxConfig): MessageOutcome {
  const { id, seen } = toMessage(row, config)
  return { kind: 'done', id: id ?? seen.place }
}

/** The same act, sent again. */
async function wasDone(
  pool: SourcePool,
  config: MappedOutboxConfig,
  table: Table,
  place: string,
  actionId: string,
): Promise<MessageOutcome | null> {
  const { id, actionId: column } = config.columns
  if (column === undefined) return null
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const [row] = await pool.query(
    `SELECT ${e.select()} FROM ${table.from} t WHERE ${e.equals(id, place)} AND ${e.equals(column, actionId)} AND NOT ${e.dead()}`,
    values,
  )
  return row === undefined ? null : done(row, config)
}
