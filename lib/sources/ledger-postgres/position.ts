import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
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
})
export type Cursor = z.infer<typeof cursorSchema>
const BEGINNING = { bookedAt: '-infinity', entryId: '' }

export type Ledger = { pool: SourcePool; config: LedgerConfig; mapping: Mapping; clock: Clock }

/** The cursor of a feed that reads on from now. What is read beside it is read after this was taken. */
export async function cursorNow({ pool, clock }: Pick<Ledger, 'pool' | 'clock'>): Promise<string> {
  const { horizon } = await takeHorizon(pool, null, clock.now().getTime())
  return JSON.stringify({ bookedAt: horizon.mark.at, entryId: '', horizon, walking: false } satisfies Cursor)
}

/**
 * Where a page begins. A pass begins where a transaction that has ended since the last one can have booked, with the
 * overlap for services that stamp by their own clock. null = at the beginning of the ledger.
 */
export async function startOf(ledger: Ledger, text: string | null): Promise<Cursor> {
  const last = text === null ? null : cursorSchema.parse(JSON.parse(text))
  if (last?.walking) return last
  const { pool, config, clock } = ledger
  const { horizon, from } = await takeHorizon(pool, last?.horizon ?? null, clock.now().getTime())
  if (from === null) return { ...BEGINNING, horizon, walking: true }
  const [row] = await pool.query(`SELECT ($1::timestamptz - $2 * interval '1 millisecond')::text AS at`, [
    from.at,
    config.overlapMs,
  ])
  const { at } = z.object({ at: z.string() }).parse(row)
  return { bookedAt: at, entryId: '', horizon, walking: true }
}

/** The cursor behind a page that ended with this row; null = the page was the last one of its pass. */
export const cursorAfter = (from: Cursor, last: { bookedAt: string; entryId: string } | null): string =>
  JSON.stringify(last === null ? { ...from, walking: false } : { ...from, ...last })

export const inOrder = (mapping: Mapping): string =>
  `${mapping.bookedAt}::timestamptz, ${mapping.entryId}::text COLLATE "C"`

/** The rows behind a position. The first condition is the one that an index of the ledger may serve. */
export const behind = (mapping: Mapping, bookedAt: string, entryId: string): string =>
  `${mapping.bookedAt} >= ${bookedAt} AND (${inOrder(mapping)}) > (${bookedAt}, ${entryId})`
