import type pg from 'pg'
import type { TimeRange } from '../contracts'

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
