import { z } from 'zod'
import type { Money } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { bigintColumn, readRows } from '../rows'

const rowSchema = z.object({
  effect_id: z.string(),
  name: z.string(),
  orphan_at: z.date(),
  amount_minor: bigintColumn.nullable(),
  currency: z.string().nullable(),
})

export type OldOrphan = {
  /** '' = the sender named none. */
  effectId: string
  name: string
  foundAt: Date
  amount: Money | null
}

/** By the partial index of orphans, which are few. */
const SQL = `
  SELECT effect_id, name, orphan_at, amount_minor::text, currency FROM telemetry.effect
  WHERE orphan_at IS NOT NULL AND orphan_at <= $1 AND NOT settled AND outcome = 'committed'
  ORDER BY orphan_at, effect_id, name, scope, key_hash, step LIMIT $2 OFFSET $3`

/** Side effects that were found without a record before a moment, and are still, the oldest first. */
export async function readOldOrphans(
  db: Db,
  before: Date,
  page: { limit: number; offset: number },
): Promise<OldOrphan[]> {
  const rows = await readRows(db.pool, rowSchema, SQL, [before, page.limit, page.offset])
  return rows.map((row) => ({
    effectId: row.effect_id,
    name: row.name,
    foundAt: row.orphan_at,
    amount:
      row.amount_minor === null || row.currency === null
        ? null
        : { minor: row.amount_minor, currency: row.currency },
  }))
}
