import { z } from 'zod'
import { isWithin } from '@/lib/core/clock'
import { isUnreadable, type RecordPage, setApart } from '../../contracts'
import { isLive, toRecord, toRow } from '../item/row'
import { type Store, scanner, storeClock } from '../store'
import { noteLive, noteOdd, noteWhole } from './known'
import { beginLook, isWhole, type Look, lookSchema, readRound } from './look'

/** A reader goes on for this long, and leaves the rest of a large table to the next turn: others wait for theirs. */
const TURN_MS = 60_000
/** What was read whole longer ago than this many turns of the schedule is too old to be called read. */
const LATE_TURNS = 2

const cursorSchema = z.object({
  /** What is read: places in another table, or by other keys, are none in this one. */
  of: z.string(),
  /** Under way. */
  look: lookSchema.nullable(),
  last: z.object({ startedAt: z.coerce.date(), startedMs: z.number() }).nullable(),
  /** When the one under way began, and this reader's turn, on the console's clock. */
  startedMs: z.number(),
  turnMs: z.number().nullable(),
})
type Cursor = z.infer<typeof cursorSchema>

/**
 * The whole table, so often: what has finished has no order that a reading could go on behind. Between two walks nothing
 * is read, and `asOf` says how old that is.
 */
export async function readRecords(
  store: Store,
  cursorText: string | null,
  limit: number,
): Promise<RecordPage> {
  const nowMs = store.clock.now().getTime()
  const cursor = goOn(store, cursorText) ?? {
    of: subjectOf(store),
    look: null,
    last: null,
    startedMs: nowMs,
    turnMs: null,
  }
  const { everyMs } = store.config.scan
  const due = cursor.last === null || !isWithin(everyMs, nowMs, cursor.last.startedMs)
  if (cursor.look === null && !due) return page(store, cursor, nowMs, [])
  if (cursor.look === null) {
    cursor.look = beginLook(await storeClock(store), store.config.scan.segments)
    cursor.startedMs = nowMs
    store.walking = { look: cursor.look, atMs: nowMs }
  }
  cursor.turnMs ??= nowMs
  const { look, items } = await readRound(scanner(store), cursor.look, 'all', limit)
  const rows = items.map((item) => ({ item, row: toRow(store, item) }))
  for (const { item, row } of rows) {
    if (isUnreadable(row)) noteOdd(store, row, look)
    else if (isLive(row)) noteLive(store, item, row)
    else if (row.expiresAt <= look.startedAt) look.expired += 1
  }
  follow(store, cursor.look, look, nowMs)
  if (isWhole(look)) {
    cursor.last = { startedAt: look.startedAt, startedMs: cursor.startedMs }
    cursor.look = null
  } else cursor.look = look
  return page(
    store,
    cursor,
    nowMs,
    rows.map(({ row }) => row),
  )
}

const subjectOf = ({ config, mapping }: Store): string =>
  JSON.stringify([config.table, mapping.partition, mapping.sort ?? null])

function goOn(store: Store, text: string | null): Cursor | null {
  const cursor = text === null ? null : cursorSchema.parse(JSON.parse(text))
  return cursor?.of === subjectOf(store) ? cursor : null
}

/** Whether this process has seen every round of it. */
function follow(store: Store, before: Look, after: Look, atMs: number): void {
  const mine =
    store.walking?.look.startedAt.getTime() === before.startedAt.getTime() &&
    store.walking.look.rounds === before.rounds
  store.walking = mine && !isWhole(after) ? { look: after, atMs } : null
  if (mine && isWhole(after)) noteWhole(store, after)
}

function page(
  store: Store,
  cursor: Cursor,
  nowMs: number,
  rows: readonly ReturnType<typeof toRow>[],
): RecordPage {
  const { read, unreadable } = setApart(rows)
  const more = cursor.look !== null && nowMs - (cursor.turnMs ?? nowMs) < TURN_MS
  if (!more) cursor.turnMs = null
  const late = cursor.last === null || nowMs - cursor.last.startedMs > LATE_TURNS * store.config.scan.everyMs
  return {
    items: read.filter((row) => !isLive(row)).map((row) => toRecord(store, row)),
    unreadable,
    cursor: JSON.stringify(cursor),
    more,
    ...(cursor.last === null ? {} : { asOf: cursor.last.startedAt }),
    ...(more || !late ? {} : { unread: unreadText(store, cursor) }),
  }
}

function unreadText(store: Store, { look, last }: Cursor): string {
  const before =
    last === null
      ? 'the table has not been read whole yet'
      : `the table was last read whole as of ${last.startedAt.toISOString()}`
  if (look === null) return before
  const of = store.size === null ? '' : ` of about ${Math.max(store.size.items, look.scanned)}`
  return `${before}: ${look.scanned}${of} items at ${store.config.scan.unitsPerSecond} capacity units a second`
}
