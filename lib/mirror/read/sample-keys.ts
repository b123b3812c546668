import { z } from 'zod'
import type { Db } from '@/lib/db'

/** Of one scope: as they were last changed. */
const KEYS_MAX = 200

const rowSchema = z.object({ scope: z.string(), key: z.string(), occurred_at: z.date() })

/**
 * Along the index on scope and change: written as a range, since for an equality the planner may rather walk all changes
 * until it has found enough of the scope, and a scope that no store has would cost them all.
 */
const SQL = `
  SELECT s.scope, o.key, o.occurred_at
  FROM unnest($1::text[]) AS s(scope)
  CROSS JOIN LATERAL (
    SELECT key, occurred_at FROM mirror.object
    WHERE scope >= s.scope AND scope <= s.scope AND side = 'intent' AND kind = 'key' AND gone_at IS NULL
      AND key IS NOT NULL
    ORDER BY scope DESC, seq DESC LIMIT ${KEYS_MAX}
  ) o`

export type SampledKey = { scope: string; key: string; at: Date }

/** Keys as clients sent them, the 200 of each scope that changed last. A store that is not read has none here. */
export async function sampleKeys(db: Db, scopes: readonly string[]): Promise<SampledKey[]> {
  if (scopes.length === 0) return []
  const { rows } = await db.pool.query(SQL, [scopes])
  return rows.map((raw) => {
    const row = rowSchema.parse(raw)
    return { scope: row.scope, key: row.key, at: row.occurred_at }
  })
}
