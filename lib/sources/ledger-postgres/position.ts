import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import type { LedgerRow } from '../contracts'
import { horizonSchema, takeHorizon } from '../postgres-feed/horizon'
import type { SourcePool } from '../postgres-pool'
import type { LedgerConfig } from './config'
import type { Mapping } from './mapping'

const cursorSchema = z.object({
  bookedAt: z.string(),
  /** Breaks ties between rows booked at the same microsecond; it is compared as text, on both sides. */
  entryId: z.string(),
  /** Taken when this pass, or the last one, began. */
  horizon: horizonSchema.nullable().default(null),
  /** A pass is under way. */
  walking: z.boolean().default(false),
  /** Rows with a higher id that were booked before the walk begins are still to be read; null = they are read. */
  late: z.object({ afterId: z.string(), before: z.string() }).nullable().default(null),
  /** Ids of rows without a booking time, as of the beginning of this pass. */
  undated: z.array(z.string()).default([]),
})
export type Cursor = z.infer<typeof cursorSchema>
const BEGINNING = { bookedAt: '-infinity', entryId: '', late: null }

export type Ledger = { pool: SourcePool; config: LedgerConfig; mapping: Mapping; clock: Clock }

/** The cursor of a feed that reads on from now. What is read beside it is read after this was taken. */
export async function cursorNow({ pool, clock, mapping }: Omit<Ledger, 'config'>): Promise<string> {
  const { horizon } = await takeHorizon(pool, null, clock.now().getTime(), highestId(mapping))
  return JSON.stringify({
    bookedAt: horizon.mark.at,
    entryId: '',
    horizon,
    walking: false,
    late: null,
    undated: [],
  } satisfies Cursor)
}

const highestId = ({ entryId, from, idsGrow }: Mapping): string | null =>
  idsGrow ? `SELECT max(${entryId})::text FROM ${from}` : null

/**
 * Where a page begins. A pass begins where a transaction that has ended since the last one can have booked, with the
 * overlap for services that stamp by their own clock; where ids grow, what was booked before that comes along by its id.
 * null = at the beginning of the ledger.
 */
export async function startOf(
  ledger: Ledger,
  text: string | null,
): Promise<{ cursor: Cursor; fresh: boolean }> {
  const last = text === null ? null : cursorSchema.parse(JSON.parse(text))
  return last?.walking
    ? { cursor: last, fresh: false }
    : { cursor: await beginPass(ledger, last), fresh: true }
}

async function beginPass({ pool, config, clock, mapping }: Ledger, last: Cursor | null): Promise<Cursor> {
  const { horizon, from } = await takeHorizon(
    pool,
    last?.horizon ?? null,
    clock.now().getTime(),
    highestId(mapping),
  )
  const undated = last?.undated ?? []
  const afterId = from?.position ?? null
  if (from === null || (mapping.idsGrow && afterId === null))
    return { ...BEGINNING, horizon, walking: true, undated }
  const [row] = await pool.query(`SELECT ($1::timestamptz - $2 * interval '1 millisecond')::text AS at`, [
    from.at,
    config.overlapMs,
  ])
  const { at } = z.object({ at: z.string() }).parse(row)
  const late = afterId === null ? null : { afterId, before: at }
  return { bookedAt: at, entryId: '', horizon, walking: true, late, undated }
}

/**
 * Of rows that were read by id, those that no later pass comes by: booked before the last one began, and inserted before
 * it where ids tell. None while a pass is under way, or while what is still open may have booked them.
 */
export function passedRows(
  { config, mapping }: Pick<Ledger, 'config' | 'mapping'>,
  text: string,
  rows: readonly LedgerRow[],
): LedgerRow[] {
  const { horizon, walking } = cursorSchema.parse(JSON.parse(text))
  if (walking || horizon === null) return []
  const marks = [horizon.mark, ...horizon.open.map(({ from }) => from)].filter((mark) => mark !== null)
  const ids = mapping.idsGrow
    ? marks.flatMap(({ position }) => (position === null ? [] : BigInt(position)))
    : null
  if (marks.length <= horizon.open.length || (ids !== null && ids.length < marks.length)) return []
  const beforeMs = Math.min(...marks.map(({ at }) => Date.parse(at))) - config.overlapMs
  const isInserted = ({ entryId }: LedgerRow): boolean =>
    ids === null || ids.every((id) => BigInt(entryId) <= id)
  return rows.filter(
    (row) => row.unreadable === undefined && row.bookedAt.getTime() < beforeMs && isInserted(row),
  )
}

/** The cursor behind a page that ended with this row; null = the page was the last one of its pass. */
export const cursorAfter = (from: Cursor, last: { bookedAt: string; entryId: string } | null): string =>
  JSON.stringify(last === null ? { ...from, walking: false } : { ...from, ...last })

export const inOrder = (mapping: Mapping): string =>
  `${mapping.bookedAt}::timestamptz, ${mapping.entryId}::text COLLATE "C"`

/** The rows behind a position. The first condition is the one that an index of the ledger may serve. */
export const behind = (mapping: Mapping, bookedAt: string, entryId: string): string =>
  `${mapping.bookedAt} >= ${bookedAt} AND (${inOrder(mapping)}) > (${bookedAt}, ${entryId})`

/** Rows of a higher id that were booked before a time: what has no booking time comes another way. */
export const insertedLate = (
  { entryId, entryIdType, bookedAt }: Mapping,
  afterId: string,
  before: string,
): string => `${entryId} > ${afterId}::text::${entryIdType} AND ${bookedAt} < ${before}`
