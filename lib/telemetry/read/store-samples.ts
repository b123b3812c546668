import { z } from 'zod'
import type { Db } from '@/lib/db'

const rowSchema = z.object({
  source_id: z.string(),
  tier: z.string(),
  at: z.date(),
  rows: z.coerce.number(),
  bytes: z.coerce.number(),
  expired_rows: z.coerce.number(),
  oldest_at: z.date().nullable(),
  oldest_expired_at: z.date().nullable(),
})
export type StoreSample = z.infer<typeof rowSchema>

/** The last sample of each of 200 slices of the window: a chart has no more points. */
const SAMPLES = `
  SELECT DISTINCT ON (source_id, tier, width_bucket(extract(epoch FROM at), extract(epoch FROM $1::timestamptz), extract(epoch FROM $2::timestamptz), 200))
    source_id, tier, at, rows, bytes, expired_rows, oldest_at, oldest_expired_at
  FROM telemetry.store_sample
  WHERE at >= $1 AND at < $2 AND ($3::text IS NULL OR source_id = $3)
  ORDER BY source_id, tier, width_bucket(extract(epoch FROM at), extract(epoch FROM $1::timestamptz), extract(epoch FROM $2::timestamptz), 200), at DESC`

export async function readStoreSamples(
  db: Db,
  query: { from: Date; to: Date; source?: string | undefined },
): Promise<StoreSample[]> {
  const { rows } = await db.pool.query(SAMPLES, [query.from, query.to, query.source ?? null])
  return rows.map((raw) => rowSchema.parse(raw))
}
