import { z } from 'zod'
import type { RecordRow } from '../contracts'
import { createBinder } from './bind'
import { buildExpressions } from './expressions'
import type { Mapped } from './read'
import { isLive, parseRow, type Row, toRecord } from './rows'

/** Unfinished keys older than the overlap are remembered one by one, up to this many; beyond it, the walk goes back. */
const OPEN_KEYS_MAX = 500

const openKey = z.object({ scope: z.string(), key: z.string(), order: z.string() })
const cursorSchema = z.object({
  /** Walked up to here; null = nothing yet. With the key, which breaks ties. */
  at: z.object({ order: z.string(), key: z.string() }).nullable(),
  /** Where the next pass begins: the first row of this pass that may still change. */
  low: z.string().nullable(),
  /** Rows behind `low` that had not finished when they were passed. */
  open: z.array(openKey),
})
type Cursor = z.infer<typeof cursorSchema>
const START: Cursor = { at: null, low: null, open: [] }

/**
 * Walks the table along its order column. A row finishes long after it was inserted, so a pass begins again at the
 * first row that was young or unfinished in the last one; older unfinished rows are looked up by their key.
 */
export async function readRecords(
  mapped: Mapped,
  cursorText: string | null,
  limit: number,
): Promise<{ items: RecordRow[]; cursor: string; more: boolean }> {
  const from = cursorText === null ? START : cursorSchema.parse(JSON.parse(cursorText))
  const beginsPass = from.low === null
  const finished =
    beginsPass && from.open.length > 0 ? await readOpen(mapped, from.open) : { rows: [], open: from.open }
  const page = await readPage(mapped, from, limit)
  const cursor: Cursor = { at: from.at, low: from.low, open: finished.open }
  for (const { row, young } of page) {
    cursor.at = { order: row.order_text, key: row.key }
    if (young) cursor.low ??= row.order_text
    else if (isLive(row) && cursor.low === null) remember(cursor, row)
  }
  const more = page.length === limit
  if (!more) {
    // The pass is over: the next one begins at its first row that may still change.
    if (cursor.low !== null) cursor.at = { order: cursor.low, key: '' }
    cursor.low = null
  }
  const rows = [...finished.rows, ...page.map(({ row }) => row)].filter((row) => !isLive(row))
  return { items: rows.map((row) => toRecord(row, mapped.config)), cursor: JSON.stringify(cursor), more }
}

function remember(cursor: Cursor, row: Row): void {
  if (cursor.open.some((each) => each.key === row.key && each.scope === row.scope)) return
  if (cursor.open.length < OPEN_KEYS_MAX) {
    cursor.open.push({ scope: row.scope, key: row.key, order: row.order_text })
  } else cursor.low = row.order_text
}

async function readPage(
  { pool, config, table }: Mapped,
  { at }: Cursor,
  limit: number,
): Promise<{ row: Row; young: boolean }[]> {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const after =
    at === null
      ? 'true'
      : `${e.order} >= (${bind(at.order, 'text')})::${e.orderType}
         AND (${e.order}, ${e.key} COLLATE "C") > ((${bind(at.order, 'text')})::${e.orderType}, ${bind(at.key, 'text')})`
  const rows = await pool.query(
    `SELECT ${e.select()},
       ${e.createdAt} > clock_timestamp() - ${bind(config.overlapMs, 'bigint')} * interval '1 millisecond' AS young
     FROM ${table.from} t WHERE ${after}
     ORDER BY ${e.order}, ${e.key} COLLATE "C" LIMIT ${bind(limit, 'bigint')}`,
    values,
  )
  return rows.map((raw) => ({ row: parseRow(raw), young: raw.young === true }))
}

/** Those of the remembered keys that have finished since, and those that have not. One that is gone is forgotten. */
async function readOpen(
  { pool, config, table }: Mapped,
  open: Cursor['open'],
): Promise<{ rows: Row[]; open: Cursor['open'] }> {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const rows = await pool.query(
    `SELECT ${e.select()} FROM unnest(${bind(
      open.map(({ order }) => order),
      'text[]',
    )}, ${bind(
      open.map(({ key }) => key),
      'text[]',
    )}) o(at, key)
     JOIN ${table.from} t ON ${e.order} = o.at::${e.orderType} AND ${e.key} = o.key`,
    values,
  )
  const parsed = rows.map(parseRow)
  const live = new Set(parsed.filter(isLive).map((row) => `${row.scope}\u001f${row.key}`))
  return {
    rows: parsed.filter((row) => !isLive(row)),
    open: open.filter((each) => live.has(`${each.scope}\u001f${each.key}`)),
  }
}
