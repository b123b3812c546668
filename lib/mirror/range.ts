import type pg from 'pg'
import { z } from 'zod'
import { type Db, inTransaction } from '@/lib/db'
import type { TimeRange } from '../sources/contracts'

/** A pass over one feed of one source. */
export type Pass = { sourceId: string; feed: string }

export type HeldRange = Pass &
  TimeRange & {
    id: bigint
    fence: bigint
    /** Where the last holder stood. */
    position: string | null
  }

/** Longer than one page with all its retries takes; each page extends it. */
const LEASE_MS = 30_000

/** Another worker took the range over: what it stages counts, stop here. */
export class RangeLostError extends Error {
  constructor(range: HeldRange) {
    super(`range ${range.id} of ${range.feed} was taken over`)
    this.name = 'RangeLostError'
  }
}

/** Writes a pass down as ranges, unless one is under way. Returns how many there are now. */
export async function planRanges(db: Db, pass: Pass, pieces: readonly TimeRange[]): Promise<number> {
  return inTransaction(db.pool, async (client) => {
    await lockPass(client, pass)
    await client.query(
      `INSERT INTO mirror.range (source_id, feed, from_at, to_at)
       SELECT $1, $2, piece.from_at, piece.to_at FROM unnest($3::timestamptz[], $4::timestamptz[]) AS piece(from_at, to_at)
       WHERE NOT EXISTS (SELECT FROM mirror.range WHERE source_id = $1 AND feed = $2)`,
      [pass.sourceId, pass.feed, pieces.map(({ from }) => from), pieces.map(({ to }) => to)],
    )
    return (await openRanges(client, pass)).open
  })
}

const lockPass = (client: pg.PoolClient, { sourceId, feed }: Pass) =>
  client.query(`SELECT pg_advisory_xact_lock(hashtextextended('range.' || $1 || '|' || $2, 0))`, [
    sourceId,
    feed,
  ])

const CLAIM = `
  UPDATE mirror.range SET fence = fence + 1, owner = $3,
    lease_until = clock_timestamp() + interval '${LEASE_MS} milliseconds'
  WHERE id = (
    SELECT id FROM mirror.range
    WHERE source_id = $1 AND feed = $2 AND done_at IS NULL
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY from_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, fence, position, from_at, to_at`

const heldRow = z.object({
  id: z.coerce.bigint(),
  fence: z.coerce.bigint(),
  position: z.string().nullable(),
  from_at: z.date(),
  to_at: z.date(),
})

/** The oldest range that nobody holds, or whose holder is dead; null = there is none now. */
export async function claimRange(db: Db, pass: Pass, owner: string): Promise<HeldRange | null> {
  const { rows } = await db.pool.query(CLAIM, [pass.sourceId, pass.feed, owner])
  if (rows[0] === undefined) return null
  const { from_at: from, to_at: to, ...row } = heldRow.parse(rows[0])
  return { ...pass, ...row, from, to }
}

/** Commits with the rows that were read: where the range stands now, or that it is done. Throws RangeLostError. */
export async function advanceRange(
  client: pg.PoolClient,
  range: HeldRange,
  to: { position: string | null; done: boolean; read: number; now: Date },
): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE mirror.range SET position = $3, read = read + $4, done_at = CASE WHEN $5 THEN $6::timestamptz END,
       lease_until = CASE WHEN $5 THEN NULL ELSE clock_timestamp() + interval '${LEASE_MS} milliseconds' END
     WHERE id = $1 AND fence = $2 AND done_at IS NULL`,
    [range.id, range.fence, to.position, to.read, to.done, to.now],
  )
  if (rowCount === 0) throw new RangeLostError(range)
}

/** Gives a range back at once: its source failed, or its run was cancelled. */
export async function returnRange(db: Db, range: HeldRange): Promise<void> {
  await db.pool.query(
    'UPDATE mirror.range SET lease_until = NULL, owner = NULL WHERE id = $1 AND fence = $2 AND done_at IS NULL',
    [range.id, range.fence],
  )
}

const openRow = z.object({ open: z.coerce.number(), all: z.coerce.number() })

async function openRanges(client: pg.PoolClient | pg.Pool, pass: Pass) {
  const { rows } = await client.query(
    `SELECT count(*) FILTER (WHERE done_at IS NULL) AS open, count(*) AS "all"
     FROM mirror.range WHERE source_id = $1 AND feed = $2`,
    [pass.sourceId, pass.feed],
  )
  return openRow.parse(rows[0])
}

/** Feeds of a source that have a range to take. */
export async function claimableFeeds(db: Db, sourceId: string): Promise<string[]> {
  const { rows } = await db.pool.query(
    `SELECT DISTINCT feed FROM mirror.range
     WHERE source_id = $1 AND done_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp()) ORDER BY feed`,
    [sourceId],
  )
  return rows.map((row) => z.object({ feed: z.string() }).parse(row).feed)
}

const wholeRow = z.object({
  open: z.coerce.number(),
  all: z.coerce.number(),
  gaps: z.coerce.number(),
  read: z.coerce.number(),
  from_at: z.date().nullable(),
  to_at: z.date().nullable(),
})

export type EndedPass =
  | { kind: 'open' }
  | { kind: 'none' }
  | { kind: 'whole'; range: TimeRange; read: number }

/**
 * Ends a pass whose ranges are all done: proves that they touch without a gap, moves the cursor (`commit`), and forgets
 * them, in one transaction. `none` = somebody else has ended it.
 */
export async function endPass(
  db: Db,
  pass: Pass,
  commit: (client: pg.PoolClient, range: TimeRange) => Promise<void>,
): Promise<EndedPass> {
  return inTransaction(db.pool, async (client) => {
    await lockPass(client, pass)
    const { rows } = await client.query(
      `SELECT count(*) AS "all", count(*) FILTER (WHERE done_at IS NULL) AS open, coalesce(sum(read), 0) AS read,
         count(*) FILTER (WHERE before IS DISTINCT FROM from_at AND before IS NOT NULL) AS gaps,
         min(from_at) AS from_at, max(to_at) AS to_at
       FROM (SELECT *, lag(to_at) OVER (ORDER BY from_at) AS before FROM mirror.range
             WHERE source_id = $1 AND feed = $2) r`,
      [pass.sourceId, pass.feed],
    )
    const whole = wholeRow.parse(rows[0])
    if (whole.all === 0 || whole.from_at === null || whole.to_at === null) return { kind: 'none' }
    if (whole.open > 0) return { kind: 'open' }
    if (whole.gaps > 0) throw new Error(`${pass.feed}: ${whole.gaps} gaps between the ranges of a pass`)
    const range = { from: whole.from_at, to: whole.to_at }
    await commit(client, range)
    await client.query('DELETE FROM mirror.range WHERE source_id = $1 AND feed = $2', [
      pass.sourceId,
      pass.feed,
    ])
    return { kind: 'whole', range, read: whole.read }
  })
}
