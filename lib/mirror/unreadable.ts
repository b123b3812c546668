import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { MirrorSource } from './apply'
import type { StagedObject } from './object'

const REASON_LENGTH_MAX = 300

/** Notes which objects of a batch could not be understood, and forgets those that can be now. */
export async function noteUnreadable(
  client: pg.PoolClient,
  source: MirrorSource,
  now: Date,
  objects: readonly StagedObject[],
): Promise<void> {
  const reasonOf = ({ data }: StagedObject) => (typeof data.unreadable === 'string' ? data.unreadable : null)
  const unreadable = objects.filter((object) => reasonOf(object) !== null)
  const readable = objects.filter((object) => reasonOf(object) === null)
  await client.query('DELETE FROM mirror.unreadable WHERE source_id = $1 AND object_id = ANY ($2)', [
    source.id,
    readable.map(({ objectId }) => objectId),
  ])
  if (unreadable.length === 0) return
  await client.query(
    `INSERT INTO mirror.unreadable (source_id, object_id, reason, seen_at)
     SELECT $1, x.id, x.reason, $4 FROM unnest($2::text[], $3::text[]) AS x(id, reason)
     ON CONFLICT (source_id, object_id) DO UPDATE SET reason = excluded.reason, seen_at = excluded.seen_at`,
    [
      source.id,
      unreadable.map(({ objectId }) => objectId),
      unreadable.map((object) => reasonOf(object)?.slice(0, REASON_LENGTH_MAX)),
      now,
    ],
  )
}

/** The same for what has arrived in bulk. */
export async function noteIncomingUnreadable(
  client: pg.PoolClient,
  source: MirrorSource,
  now: Date,
): Promise<void> {
  await client.query(
    `DELETE FROM mirror.unreadable u USING incoming i
     WHERE u.source_id = $1 AND u.object_id = i.entry_id AND i.unreadable IS NULL`,
    [source.id],
  )
  await client.query(
    `INSERT INTO mirror.unreadable (source_id, object_id, reason, seen_at)
     SELECT $1, i.entry_id, i.unreadable, $2 FROM incoming i WHERE i.unreadable IS NOT NULL
     ON CONFLICT (source_id, object_id) DO UPDATE SET reason = excluded.reason, seen_at = excluded.seen_at`,
    [source.id, now],
  )
}

/** How many objects of a source are not understood, and why the newest of them is not. */
export type NotUnderstood = { count: number; latestId: string; latestReason: string; latestAt: string }

const countRow = z.object({
  source_id: z.string(),
  count: z.coerce.number(),
  object_id: z.string(),
  reason: z.string(),
  seen_at: z.date(),
})

/** By source; one whose objects are all understood is not among them. */
export async function countUnreadable(db: Pick<Db, 'pool'>): Promise<Map<string, NotUnderstood>> {
  const { rows } = await db.pool.query(
    `SELECT DISTINCT ON (source_id) source_id, object_id, reason, seen_at, count(*) OVER (PARTITION BY source_id) AS count
     FROM mirror.unreadable ORDER BY source_id, seen_at DESC, object_id`,
  )
  return new Map(
    rows.map((raw) => {
      const row = countRow.parse(raw)
      const latest = {
        latestId: row.object_id,
        latestReason: row.reason,
        latestAt: row.seen_at.toISOString(),
      }
      return [row.source_id, { count: row.count, ...latest }]
    }),
  )
}
