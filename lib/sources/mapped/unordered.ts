import { z } from 'zod'
import type { UnreadableRow } from '../contracts'
import { createBinder } from './bind'
import { buildExpressions } from './expressions'
import type { Mapped } from './read'
import { type Row, tryRow } from './rows'

/** So many are named in a pass. With more of them the rest is not read, and that is said. */
const UNORDERED_MAX = 500

const unorderedRow = z.object({
  scope: z.string().nullable(),
  key: z.string().nullable(),
  created_text: z.string().nullable(),
})

/**
 * Rows without a value in the column that the feed walks along: no walk comes by them. They are named each time, and
 * nothing is concluded from them. `unread`: why it is not all of them.
 */
export async function readUnordered({
  pool,
  config,
  table,
}: Mapped): Promise<{ rows: UnreadableRow[]; unread: string | null }> {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  if (table.column(e.orderColumn).notNull) return { rows: [], unread: null }
  const rows = await pool.query(
    `SELECT ${e.scope()} AS scope, ${e.key} AS key, (${e.createdAt})::text AS created_text
     FROM ${table.from} t WHERE ${e.order} IS NULL LIMIT ${UNORDERED_MAX + 1}`,
    values,
  )
  return {
    rows: rows.slice(0, UNORDERED_MAX).map((raw): UnreadableRow => {
      const { scope, key, created_text: createdAtText } = unorderedRow.parse(raw)
      const reason = `its ${e.orderColumn} is missing, by which the rows are read`
      return { place: `unordered|${key ?? ''}`, scope, key, createdAtText, reason }
    }),
    unread:
      rows.length > UNORDERED_MAX
        ? `more than ${UNORDERED_MAX} rows without ${e.orderColumn}: the rest of them is not read`
        : null,
  }
}

export type Named = { scope: string; key: string }

/** Rows that were named before and have a place now: it may lie behind what was read long ago. */
export async function readPlaced(
  { pool, config, table }: Mapped,
  named: readonly Named[],
): Promise<(Row | UnreadableRow)[]> {
  if (named.length === 0) return []
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const of = (column: keyof Named): string =>
    bind(
      named.map((each) => each[column]),
      'text[]',
    )
  const rows = await pool.query(
    `SELECT ${e.select()} FROM unnest(${of('scope')}, ${of('key')}) o(scope, key)
     JOIN ${table.from} t ON ${e.key} = o.key AND ${e.scope()} = o.scope
     WHERE ${e.order} IS NOT NULL`,
    values,
  )
  return rows.map((raw) => tryRow(raw, (row) => row))
}
