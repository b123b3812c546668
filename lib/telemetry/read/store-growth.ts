import { z } from 'zod'
import type { Db } from '@/lib/db'
import { bigintColumn, readRows } from './rows'

const rowSchema = z.object({
  source_id: z.string(),
  tier: z.string(),
  first_at: z.date(),
  last_at: z.date(),
  first_rows: bigintColumn,
  last_rows: bigintColumn,
  first_bytes: bigintColumn,
  last_bytes: bigintColumn,
  expired_rows: bigintColumn,
  oldest_at: z.date().nullable(),
  oldest_expired_at: z.date().nullable(),
})
export type StoreGrowthRow = z.infer<typeof rowSchema>

/** The first and the last sample of each source and tier in the window. */
const SQL = `
  WITH edge AS (
    SELECT source_id, tier, min(at) AS first_at, max(at) AS last_at
    FROM telemetry.store_sample WHERE at >= $1 AND at < $2 GROUP BY source_id, tier
  )
  SELECT e.source_id, e.tier, e.first_at, e.last_at, f.rows::text AS first_rows, l.rows::text AS last_rows,
         f.bytes::text AS first_bytes, l.bytes::text AS last_bytes, l.expired_rows::text AS expired_rows,
         l.oldest_at, l.oldest_expired_at
  FROM edge e
  JOIN telemetry.store_sample f ON (f.source_id, f.tier, f.at) = (e.source_id, e.tier, e.first_at)
  JOIN telemetry.store_sample l ON (l.source_id, l.tier, l.at) = (e.source_id, e.tier, e.last_at)
  ORDER BY e.source_id, e.tier`

export function readStoreGrowth(db: Db, from: Date, to: Date): Promise<StoreGrowthRow[]> {
  return readRows(db.pool, rowSchema, SQL, [from, to])
}
