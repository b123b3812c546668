import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { TimeRange } from '@/lib/sources/contracts'

/** Notes that the provider's listing of this range is complete; touching ranges become one. */
export async function extendCoverage(
  client: pg.PoolClient,
  sourceId: string,
  range: TimeRange,
): Promise<void> {
  if (range.to <= range.from) return
  await client.query(
    `WITH touching AS (
       DELETE FROM mirror.coverage WHERE source_id = $1 AND from_at <= $3 AND to_at >= $2 RETURNING from_at, to_at
     )
     INSERT INTO mirror.coverage (source_id, from_at, to_at)
     SELECT $1, least($2, min(from_at)), greatest($3, max(to_at)) FROM touching
     ON CONFLICT (source_id, from_at) DO UPDATE SET to_at = greatest(mirror.coverage.to_at, excluded.to_at)`,
    [sourceId, range.from, range.to],
  )
}

const firstRow = z.object({ first: z.date().nullable() })

/**
 * The first of these objects that a listing claims to have shown, and did not; null = it has shown them all. What is as
 * young as `settleMs` before its end may still come.
 */
export async function firstNotListed(
  db: Pick<Db, 'pool'>,
  sourceId: string,
  objects: readonly { id: string; createdAt: Date }[],
  settleMs: number,
): Promise<Date | null> {
  const { rows } = await db.pool.query(
    `SELECT min(x.created_at) AS first
     FROM unnest($2::text[], $3::timestamptz[]) AS x(id, created_at)
     JOIN mirror.coverage c ON c.source_id = $1 AND x.created_at >= c.from_at
       AND x.created_at < c.to_at - $4 * interval '1 millisecond'
     WHERE NOT EXISTS (SELECT FROM mirror.object o
       WHERE o.source_id = $1 AND o.object_id = x.id AND o.status <> 'absent')`,
    [sourceId, objects.map(({ id }) => id), objects.map(({ createdAt }) => createdAt), settleMs],
  )
  return firstRow.parse(rows[0]).first
}

/** Claims no more that anything from this time on is listed. */
export async function shrinkCoverage(client: pg.PoolClient, sourceId: string, to: Date): Promise<void> {
  await client.query('DELETE FROM mirror.coverage WHERE source_id = $1 AND from_at >= $2', [sourceId, to])
  await client.query('UPDATE mirror.coverage SET to_at = $2 WHERE source_id = $1 AND to_at > $2', [
    sourceId,
    to,
  ])
}
