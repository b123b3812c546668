import { z } from 'zod'
import type { SourcePool } from '../postgres-pool'
import type { LedgerConfig } from './config'
import type { Mapping } from './mapping'

/** `entryId` breaks ties between rows booked at the same microsecond; it is compared as text, on both sides. */
const cursorSchema = z.object({ bookedAt: z.string(), entryId: z.string() })
const START = { bookedAt: '-infinity', entryId: '' }

/** Where the reading of a ledger stands; null = at its beginning. */
export const parseCursor = (text: string | null) =>
  text === null ? START : cursorSchema.parse(JSON.parse(text))

export const cursorAt = (config: LedgerConfig, at: Date): string =>
  JSON.stringify({ bookedAt: new Date(at.getTime() - config.overlapMs).toISOString(), entryId: '' })

export const inOrder = (mapping: Mapping): string =>
  `${mapping.bookedAt}::timestamptz, ${mapping.entryId}::text COLLATE "C"`

/** The rows behind a position. The first condition is the one that an index of the ledger may serve. */
export const behind = (mapping: Mapping, bookedAt: string, entryId: string): string =>
  `${mapping.bookedAt} >= ${bookedAt} AND (${inOrder(mapping)}) > (${bookedAt}, ${entryId})`

/** The ledger's clock: read before its rows, so that none booked since is behind the next cursor. */
export async function ledgerNow(pool: SourcePool): Promise<string> {
  const [row] = await pool.query('SELECT clock_timestamp()::text AS now')
  return z.object({ now: z.string() }).parse(row).now
}

/** The cursor behind everything that was read up to `now`, with the overlap for what was committed late. */
export async function overlapBefore(pool: SourcePool, config: LedgerConfig, now: string): Promise<string> {
  const [next] = await pool.query(`SELECT ($1::timestamptz - $2 * interval '1 millisecond')::text AS at`, [
    now,
    config.overlapMs,
  ])
  return JSON.stringify({ bookedAt: z.object({ at: z.string() }).parse(next).at, entryId: '' })
}
