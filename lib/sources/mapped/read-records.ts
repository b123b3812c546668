import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { isUnreadable, type RecordPage, type RecordRow, setApart, type UnreadableRow } from '../contracts'
import { horizonSchema, type Mark, takeHorizon } from '../postgres-feed/horizon'
import { createBinder } from './bind'
import { buildExpressions } from './expressions'
import type { Mapped } from './read'
import { isLive, type Row, toRecord, tryRow } from './rows'
import { readPlaced, readUnordered } from './unordered'

/** Unfinished keys older than the overlap are remembered one by one, up to this many; beyond it, the walk goes back. */
const OPEN_KEYS_MAX = 500

const openKey = z.object({ scope: z.string(), key: z.string(), order: z.string() })
const cursorSchema = z.object({
  /** Walked up to here; null = nothing yet. With the key, which breaks ties. */
  at: z
    .object({ order: z.string(), key: z.string() })
    .nullable()
    // Kept by a version that took a row without a place for one: it stopped there.
    .transform((at) => (at?.order === 'null' ? null : at)),
  /** The first row of this pass that may still change: the next one begins no later. */
  low: z.string().nullable(),
  /** Rows behind `low` that had not finished when they were passed. */
  open: z.array(openKey),
  /** Rows without a place in the order, as of the beginning of this pass. */
  unordered: z.array(z.object({ scope: z.string(), key: z.string() })).default([]),
  /** Taken when this pass, or the last one, began. */
  horizon: horizonSchema.nullable().default(null),
  /** A pass is under way. */
  walking: z.boolean().default(false),
})
type Place = { order: string; key: string }
type Cursor = z.infer<typeof cursorSchema>
const START: Cursor = { at: null, low: null, open: [], unordered: [], horizon: null, walking: false }

/**
 * Walks the table along its order column. A row finishes long after it was inserted, so a pass begins again at the
 * first row that was young or unfinished in the last one; older unfinished rows are looked up by their key. It also
 * begins no later than where a transaction that has ended since the last pass can have inserted.
 */
export async function readRecords(
  mapped: Mapped,
  clock: Clock,
  cursorText: string | null,
  limit: number,
): Promise<RecordPage> {
  const last = cursorText === null ? START : cursorSchema.parse(JSON.parse(cursorText))
  const from = last.walking ? last : await beginPass(mapped, clock, last)
  const beside = last.walking ? { ...from, rows: [], unread: null } : await readBeside(mapped, from)
  const page = await readPage(mapped, from, limit)
  const cursor: Cursor = { ...from, open: beside.open, unordered: beside.unordered }
  for (const { row, young, at } of page) {
    cursor.at = at
    if (isUnreadable(row)) {
      // It may be mended in place: it is looked up as long as there is room.
      if (row.key !== null && cursor.open.length < OPEN_KEYS_MAX)
        remember(cursor, { scope: row.scope ?? '', key: row.key, order: at.order })
      continue
    }
    if (young) cursor.low ??= row.order_text
    else if (isLive(row) && cursor.low === null)
      remember(cursor, { scope: row.scope, key: row.key, order: row.order_text })
  }
  const more = page.length === limit
  cursor.walking = more
  const rows = [...beside.rows, ...page.map(({ row }) => row)]
  const { read, unreadable } = setApart(
    rows.flatMap((row): (RecordRow | UnreadableRow)[] => {
      if (isUnreadable(row)) return [row]
      return isLive(row) ? [] : [tryRow(row, () => toRecord(row, mapped.config))]
    }),
  )
  return {
    items: read,
    unreadable,
    cursor: JSON.stringify(cursor),
    more,
    ...(beside.unread === null ? {} : { unread: beside.unread }),
  }
}

type Beside = Pick<Cursor, 'open' | 'unordered'> & { rows: (Row | UnreadableRow)[]; unread: string | null }

/** What a pass reads beside its walk: remembered rows that were not finished, and rows that no walk comes by. */
async function readBeside(mapped: Mapped, { open, unordered }: Cursor): Promise<Beside> {
  const finished = open.length > 0 ? await readOpen(mapped, open) : { rows: [], open }
  const { rows: unplaced, unread } = await readUnordered(mapped)
  const named = unplaced.flatMap(({ scope, key }) => (scope === null || key === null ? [] : [{ scope, key }]))
  const still = new Set(named.map(placeless))
  const placed = await readPlaced(
    mapped,
    unordered.filter((each) => !still.has(placeless(each))),
  )
  const live = placed.flatMap((row) => (!isUnreadable(row) && isLive(row) ? [row] : []))
  return {
    rows: [...finished.rows, ...placed, ...unplaced],
    open: [
      ...finished.open,
      ...live.map(({ scope, key, order_text: order }) => ({ scope, key, order })),
    ].slice(0, OPEN_KEYS_MAX),
    unordered: named,
    unread,
  }
}

const placeless = ({ scope, key }: { scope: string; key: string }): string => `${scope}\u001f${key}`

async function beginPass(mapped: Mapped, clock: Clock, last: Cursor): Promise<Cursor> {
  const { bind } = createBinder()
  const e = buildExpressions(mapped.config, mapped.table, bind)
  const highest = e.orderIsTime
    ? null
    : `SELECT ${e.order}::text FROM ${mapped.table.from} t WHERE ${e.order} IS NOT NULL ORDER BY ${e.order} DESC LIMIT 1`
  const { horizon, from } = await takeHorizon(mapped.pool, last.horizon, clock.now().getTime(), highest)
  const order = from === null ? null : await lowestOf(mapped, from, last.low ?? last.at?.order ?? null)
  return {
    at: order === null ? null : { order, key: '' },
    low: null,
    open: last.open,
    unordered: last.unordered,
    horizon,
    walking: true,
  }
}

/** Where a pass begins: at a mark, or at a row that comes before it; null = at the beginning. */
async function lowestOf(
  { pool, config, table }: Mapped,
  mark: Mark,
  row: string | null,
): Promise<string | null> {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  if (row === null || (!e.orderIsTime && mark.position === null)) return null
  const place = e.orderIsTime
    ? e.orderAt(
        `${bind(mark.at, 'timestamptz')} - ${bind(config.overlapMs, 'bigint')} * interval '1 millisecond'`,
      )
    : `${bind(mark.position, 'text')}::${e.orderType}`
  const [low] = await pool.query(
    `SELECT least(${place}, ${bind(row, 'text')}::${e.orderType})::text AS place`,
    values,
  )
  return z.object({ place: z.string() }).parse(low).place
}

function remember(cursor: Cursor, row: Cursor['open'][number]): void {
  if (cursor.open.some((each) => each.key === row.key && each.scope === row.scope)) return
  if (cursor.open.length < OPEN_KEYS_MAX) cursor.open.push(row)
  else cursor.low = row.order
}

async function readPage(
  { pool, config, table }: Mapped,
  { at }: Cursor,
  limit: number,
): Promise<{ row: Row | UnreadableRow; young: boolean; at: Place }[]> {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const after =
    at === null
      ? `${e.order} IS NOT NULL`
      : `${e.order} >= (${bind(at.order, 'text')})::${e.orderType}
         AND (${e.order}, ${e.key} COLLATE "C") > ((${bind(at.order, 'text')})::${e.orderType}, ${bind(at.key, 'text')})`
  const rows = await pool.query(
    `SELECT ${e.select()},
       ${e.createdAt} > clock_timestamp() - ${bind(config.overlapMs, 'bigint')} * interval '1 millisecond' AS young
     FROM ${table.from} t WHERE ${after}
     ORDER BY ${e.order}, ${e.key} COLLATE "C" LIMIT ${bind(limit, 'bigint')}`,
    values,
  )
  return rows.map((raw) => ({
    row: tryRow(raw, (row) => row),
    young: raw.young === true,
    at: { order: String(raw.order_text), key: String(raw.key ?? '') },
  }))
}

/** Those of the remembered keys that have finished since, and those that have not. One that is gone is forgotten. */
async function readOpen(
  { pool, config, table }: Mapped,
  open: Cursor['open'],
): Promise<{ rows: (Row | UnreadableRow)[]; open: Cursor['open'] }> {
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
  const read = rows.map((raw) => tryRow(raw, (row) => row))
  const isOpen = (row: Row | UnreadableRow): boolean => isUnreadable(row) || isLive(row)
  const live = new Set(read.filter(isOpen).map((row) => `${row.scope ?? ''}\u001f${row.key ?? ''}`))
  return {
    rows: read.filter((row) => isUnreadable(row) || !isLive(row)),
    open: open.filter((each) => live.has(`${each.scope}\u001f${each.key}`)),
  }
}
