import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { LeaseRow } from '@/lib/sources/contracts'
import { storeDigest } from './lock-version'

const SQL = `
  SELECT unchanged_since FROM lock
  WHERE source_id = $1 AND scope = $2 AND key = $3 AND gone_at IS NULL AND split_part(version, '.', 2) = $4
  ORDER BY unchanged_since LIMIT 1`

const rowSchema = z.object({ unchanged_since: z.date().nullable() })

/** Since when the console has found a lease exactly as it is now, by the store's clock; null = never before. */
export async function readUnchangedSince(db: Db, sourceId: string, lease: LeaseRow): Promise<Date | null> {
  const { rows } = await db.pool.query(SQL, [sourceId, lease.scope, lease.key, storeDigest(lease)])
  return rows.length === 0 ? null : rowSchema.parse(rows[0]).unchanged_since
}
