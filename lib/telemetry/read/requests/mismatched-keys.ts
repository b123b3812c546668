import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

const rowSchema = z.object({
  scope: z.string(),
  key_hash: z.string(),
  first_at: z.date(),
  last_at: z.date(),
  count: z.coerce.number(),
})

export type MismatchedKey = { scope: string; keyHash: string; firstAt: Date; lastAt: Date; count: number }

/** Keys that came again with another body since a time, by their hash. At most 10,000, the newest. */
const SQL = `
  SELECT scope, encode(key_hash, 'hex') AS key_hash, min(time) AS first_at, max(time) AS last_at, count(*) AS count
  FROM telemetry.keyed_request
  WHERE time >= $1 AND outcome = 'mismatch' AND key_hash IS NOT NULL
  GROUP BY scope, key_hash
  ORDER BY max(time) DESC
  LIMIT 10000`

export async function readMismatchedKeys(db: Db, since: Date): Promise<MismatchedKey[]> {
  const rows = await readRows(db.pool, rowSchema, SQL, [since])
  return rows.map((row) => ({
    scope: row.scope,
    keyHash: row.key_hash,
    firstAt: row.first_at,
    lastAt: row.last_at,
    count: row.count,
  }))
}
