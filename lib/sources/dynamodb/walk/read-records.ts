import { z } from 'zod'
import { type Clock, isWithin } from '@/lib/core/clock'
import type { RecordPage, RecordRow, UnreadableRow } from '../../contracts'
import type { TableSize } from '../client/database'
import type { Item } from '../client/value'
import type { DynamoConfig } from '../config'
import { beginLook, isWhole, type Look, lookSchema, readRound, type Scanner } from './look'

type Rows = { items: RecordRow[]; unreadable: UnreadableRow[] }

/** Whose table it is, and what becomes of what is read. */
export type Walker = {
  scan: DynamoConfig['scan']
  clock: Clock
  scanner: Scanner
  /** Names the table and its keys: places in another one are none in this one. */
  subject: string
  storeClock(): Promise<Date>
  size(): TableSize | null
  /** The finished keys of a round; it counts those that have expired. */
  take(items: readonly Item[], look: Look): Rows
  begun(look: Look, atMs: number): void
  /** A round more: `before` is the look as it was. */
  follow(before: Look, after: Look, atMs: number): void
}

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
  walker: Walker,
  cursorText: string | null,
  limit: number,
): Promise<RecordPage> {
  const { scan, clock } = walker
  const nowMs = clock.now().getTime()
  const cursor = goOn(walker, cursorText) ?? {
    of: walker.subject,
    look: null,
    last: null,
    startedMs: nowMs,
    turnMs: null,
  }
  const due = cursor.last === null || !isWithin(scan.everyMs, nowMs, cursor.last.startedMs)
  if (cursor.look === null && !due) return page(walker, cursor, nowMs, { items: [], unreadable: [] })
  if (cursor.look === null) {
    cursor.look = beginLook(await walker.storeClock(), scan.segments)
    cursor.startedMs = nowMs
    walker.begun(cursor.look, nowMs)
  }
  cursor.turnMs ??= nowMs
  const { look, items } = await readRound(walker.scanner, cursor.look, 'all', limit)
  const rows = walker.take(items, look)
  walker.follow(cursor.look, look, nowMs)
  if (isWhole(look)) {
    cursor.last = { startedAt: look.startedAt, startedMs: cursor.startedMs }
    cursor.look = null
  } else cursor.look = look
  return page(walker, cursor, nowMs, rows)
}

function goOn({ subject }: Walker, text: string | null): Cursor | null {
  const cursor = text === null ? null : cursorSchema.parse(JSON.parse(text))
  return cursor?.of === subject ? cursor : null
}

function page(walker: Walker, cursor: Cursor, nowMs: number, rows: Rows): RecordPage {
  const more = cursor.look !== null && nowMs - (cursor.turnMs ?? nowMs) < TURN_MS
  if (!more) cursor.turnMs = null
  const late = cursor.last === null || nowMs - cursor.last.startedMs > LATE_TURNS * walker.scan.everyMs
  return {
    ...rows,
    cursor: JSON.stringify(cursor),
    more,
    ...(cursor.last === null ? {} : { asOf: cursor.last.startedAt }),
    ...(more || !late ? {} : { unread: unreadText(walker, cursor) }),
  }
}

function unreadText(walker: Walker, { look, last }: Cursor): string {
  const before =
    last === null
      ? 'the table has not been read whole yet'
      : `the table was last read whole as of ${last.startedAt.toISOString()}`
  if (look === null) return before
  const size = walker.size()
  const of = size === null ? '' : ` of about ${Math.max(size.items, look.scanned)}`
  return `${before}: ${look.scanned}${of} items at ${walker.scan.unitsPerSecond} capacity units a second`
}
