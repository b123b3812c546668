import type { Db } from '@/lib/db'

export type StoreSample = {
  at: Date
  sourceId: string
  tier: string
  rows: bigint
  bytes: bigint
  expiredRows: bigint
  oldestAt: Date | null
  oldestExpiredAt: Date | null
}

const SQL = `
  INSERT INTO telemetry.store_sample (at, source_id, tier, rows, bytes, expired_rows, oldest_at, oldest_expired_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (source_id, tier, at) DO NOTHING`

/** Records the size of one tier of a store (M9). The same sample twice is one. */
export async function recordStoreSample(db: Db, sample: StoreSample): Promise<void> {
  const { at, sourceId, tier, rows, bytes, expiredRows, oldestAt, oldestExpiredAt } = sample
  const counts = [rows, bytes, expiredRows].map(String)
  await db.pool.query(SQL, [at, sourceId, tier, ...counts, oldestAt, oldestExpiredAt])
}
