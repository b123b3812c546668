import { z } from 'zod'
import { SQLSTATE } from '@/lib/core/sql-state'
import type { StorePartition, StoreSample } from '../contracts'
import { type SourcePool, sqlState } from '../postgres-pool'

const partitionRow = z.object({
  partition: z.string(),
  tier_name: z.string(),
  lower_bound: z.date(),
  upper_bound: z.date(),
  rows_estimate: z.coerce.bigint(),
  bytes: z.coerce.bigint(),
  expired: z.boolean(),
})

/** A store with more partitions than this has lost its collection long ago: the oldest are listed first. */
const PARTITIONS_MAX = 5000

export async function listPartitions(pool: SourcePool): Promise<StorePartition[]> {
  const rows = await pool.query(
    `SELECT partition, tier_name, lower_bound, upper_bound, rows_estimate, bytes, expired
     FROM idem_partitions() ORDER BY upper_bound, partition LIMIT ${PARTITIONS_MAX}`,
  )
  return rows.map((raw) => {
    const row = partitionRow.parse(raw)
    return {
      partition: row.partition,
      tier: row.tier_name,
      from: row.lower_bound,
      to: row.upper_bound,
      rowsEstimate: row.rows_estimate,
      bytes: row.bytes,
      expired: row.expired,
    }
  })
}

const sampleRow = z.object({
  tier: z.string(),
  rows: z.coerce.bigint(),
  bytes: z.coerce.bigint(),
  expired_rows: z.coerce.bigint(),
  oldest_at: z.date().nullable(),
  oldest_expired_at: z.date().nullable(),
})

const SAMPLE = `
  SELECT t.name AS tier,
    coalesce(sum(l.rows_estimate), 0) + (SELECT count(*) FROM idem_lease e WHERE e.tier = t.tier) AS rows,
    coalesce(sum(l.bytes), 0) AS bytes,
    coalesce(sum(l.rows_estimate) FILTER (WHERE l.expired), 0) AS expired_rows,
    least(min(l.lower_bound) FILTER (WHERE NOT l.expired AND l.rows_estimate > 0) - t.ttl_ms * interval '1 millisecond',
      (SELECT min(e.created_at) FROM idem_lease e WHERE e.tier = t.tier)) AS oldest_at,
    min(l.lower_bound) FILTER (WHERE l.expired AND l.rows_estimate > 0) AS oldest_expired_at
  FROM idem_tier t
  LEFT JOIN idem_partitions() l ON l.tier = t.tier
  GROUP BY t.tier, t.name, t.ttl_ms
  ORDER BY t.name`

export async function sample(pool: SourcePool): Promise<StoreSample[]> {
  const rows = await pool.query(SAMPLE)
  return rows.map((raw) => {
    const row = sampleRow.parse(raw)
    return {
      tier: row.tier,
      rows: row.rows,
      bytes: row.bytes,
      expiredRows: row.expired_rows,
      oldestAt: row.oldest_at,
      oldestExpiredAt: row.oldest_expired_at,
    }
  })
}

const collectedRow = z.object({ rows_estimate: z.coerce.bigint(), bytes: z.coerce.bigint() })

export async function collectPartition(pool: SourcePool, partition: string, safetyMs: number) {
  try {
    const [row] = await pool.query(
      'SELECT rows_estimate, bytes FROM idem_collect_partition($1::regclass, $2)',
      [partition, safetyMs],
    )
    const { rows_estimate: rows, bytes } = collectedRow.parse(row)
    return { kind: 'done', rows, bytes } as const
  } catch (error) {
    const state = sqlState(error)
    if (state === SQLSTATE.lockNotAvailable || state === SQLSTATE.deadlockDetected) {
      // The store's message names the session.
      return { kind: 'busy', by: error instanceof Error ? error.message : 'another session' } as const
    }
    if (state === SQLSTATE.objectNotReady) return { kind: 'not_due' } as const
    if (state === SQLSTATE.undefinedTable) return { kind: 'gone' } as const
    throw error
  }
}
