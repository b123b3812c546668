import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { MirrorSource, StagedObject } from './object'

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
  await client.query(
    'DELETE FROM mirror.unreadable WHERE source_id = $1 AND object_id = ANY ($2) AND NOT late',
    [source.id, readable.map(({ objectId }) => objectId)],
  )
  if (unreadable.length === 0) return
  await client.query(
    `INSERT INTO mirror.unreadable (source_id, object_id, reason, seen_at)
     SELECT $1, x.id, x.reason, $4 FROM unnest($2::text[], $3::text[]) AS x(id, reason)
     ON CONFLICT (source_id, object_id) DO UPDATE SET reason = excluded.reason, seen_at = excluded.seen_at, late = false`,
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
     WHERE u.source_id = $1 AND u.object_id = i.entry_id AND i.unreadable IS NULL AND NOT u.late`,
    [source.id],
  )
  await client.query(
    `INSERT INTO mirror.unreadable (source_id, object_id, reason, seen_at)
     SELECT DISTINCT ON (i.entry_id) $1, i.entry_id, i.unreadable, $2 FROM incoming i WHERE i.unreadable IS NOT NULL
     ON CONFLICT (source_id, object_id) DO UPDATE SET reason = excluded.reason, seen_at = excluded.seen_at, late = false`,
    [source.id, now],
  )
}

/** Of the objects of a source that are not understood, so many ids: when they are mended, no feed comes by them again. */
export async function unreadableIds(
  db: Pick<Db, 'pool'>,
  sourceId: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.pool.query(
    'SELECT object_id FROM mirror.unreadable WHERE source_id = $1 AND NOT late ORDER BY seen_at LIMIT $2',
    [sourceId, limit],
  )
  return rows.map((raw) => z.object({ object_id: z.string() }).parse(raw).object_id)
}

/** Of these, the objects of a source that are not staged. */
export async function notStaged(
  db: Pick<Db, 'pool'>,
  sourceId: string,
  objectIds: readonly string[],
): Promise<Set<string>> {
  const { rows } = await db.pool.query(
    `SELECT x.id AS object_id FROM unnest($2::text[]) AS x(id)
     WHERE NOT EXISTS (SELECT FROM mirror.object o WHERE o.source_id = $1 AND o.object_id = x.id)`,
    [sourceId, objectIds],
  )
  return new Set(rows.map((raw) => z.object({ object_id: z.string() }).parse(raw).object_id))
}

/** Notes rows that their feed had passed when they were found by id: others like them may not be read at all. */
export async function noteLate(
  client: pg.PoolClient,
  source: MirrorSource,
  now: Date,
  rows: readonly { objectId: string; reason: string }[],
): Promise<void> {
  if (rows.length === 0) return
  await client.query(
    `INSERT INTO mirror.unreadable (source_id, object_id, reason, seen_at, late)
     SELECT $1, x.id, x.reason, $4, true FROM unnest($2::text[], $3::text[]) AS x(id, reason)
     ON CONFLICT (source_id, object_id) DO NOTHING`,
    [source.id, rows.map(({ objectId }) => objectId), rows.map(({ reason }) => reason), now],
  )
}

/** Where no more are found for so long, the mapping or the service was put right. */
export async function forgetLate(db: Pick<Db, 'pool'>, sourceId: string, before: Date): Promise<void> {
  await db.pool.query('DELETE FROM mirror.unreadable WHERE source_id = $1 AND late AND seen_at < $2', [
    sourceId,
    before,
  ])
}

/** How many objects of a source there are, and why the newest of them is one. */
export type Noted = { count: number; latestId: string; latestReason: string; latestAt: string }

const countRow = z.object({
  source_id: z.string(),
  count: z.coerce.number(),
  object_id: z.string(),
  reason: z.string(),
  seen_at: z.date(),
})

/** By source, what is not understood, or what its feed had passed; a source without any is not among them. */
export async function countNoted(
  db: Pick<Db, 'pool'>,
  which: 'not_understood' | 'late',
): Promise<Map<string, Noted>> {
  const { rows } = await db.pool.query(
    `SELECT DISTINCT ON (source_id) source_id, object_id, reason, seen_at, count(*) OVER (PARTITION BY source_id) AS count
     FROM mirror.unreadable WHERE late = $1 ORDER BY source_id, seen_at DESC, object_id`,
    [which === 'late'],
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
