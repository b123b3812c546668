import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'

const rowSchema = z.object({ position: z.string() })

/** Where the reading of a feed stands; null = it has not begun. */
export async function readCursor(db: Db, sourceId: string, feed: string): Promise<string | null> {
  const { rows } = await db.pool.query(
    'SELECT position FROM mirror.cursor WHERE source_id = $1 AND feed = $2',
    [sourceId, feed],
  )
  return rows[0] === undefined ? null : rowSchema.parse(rows[0]).position
}

/** Another stager moved the cursor: what it staged counts, go on from where it is now. */
export class CursorMovedError extends Error {
  constructor(sourceId: string, feed: string) {
    super(`another stager moved ${feed} of ${sourceId}`)
    this.name = 'CursorMovedError'
  }
}

/** Moves a cursor from where it was read to be. Rows and cursor commit together, or not at all. */
export async function moveCursor(
  client: pg.PoolClient,
  at: { sourceId: string; feed: string },
  from: string | null,
  to: string,
  now: Date,
): Promise<void> {
  const { rowCount } =
    from === null
      ? await client.query(
          `INSERT INTO mirror.cursor (source_id, feed, position, updated_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING`,
          [at.sourceId, at.feed, to, now],
        )
      : await client.query(
          `UPDATE mirror.cursor SET position = $3, updated_at = $4
           WHERE source_id = $1 AND feed = $2 AND position = $5`,
          [at.sourceId, at.feed, to, now, from],
        )
  if (rowCount === 0) throw new CursorMovedError(at.sourceId, at.feed)
}

/** Forgets where a reading stood that is over. */
export async function dropCursor(
  client: pg.PoolClient,
  { sourceId, feed }: { sourceId: string; feed: string },
): Promise<void> {
  await client.query('DELETE FROM mirror.cursor WHERE source_id = $1 AND feed = $2', [sourceId, feed])
}

const openRow = z.object({ source_id: z.string(), since: z.string() })

/** By source: since when the oldest transaction is open that its feeds wait for, as of their last pass. */
export async function readOpenSince(db: Pick<Db, 'pool'>): Promise<Map<string, { since: string }>> {
  const { rows } = await db.pool.query(
    `SELECT c.source_id, min(t->>'since') AS since
     FROM mirror.cursor c, jsonb_array_elements(CASE WHEN c.position LIKE '{%"horizon":{%'
       THEN c.position::jsonb->'horizon'->'open' ELSE '[]' END) t GROUP BY c.source_id`,
  )
  return new Map(rows.map((raw) => openRow.parse(raw)).map(({ source_id: id, since }) => [id, { since }]))
}
