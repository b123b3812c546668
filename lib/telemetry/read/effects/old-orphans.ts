import { z } from 'zod'
import type { Db } from '@/lib/db'

const rowSchema = z.object({
  count: z.number(),
  oldest_at: z.date().nullable(),
  money: z.array(z.object({ minor: z.string(), currency: z.string() })).nullable(),
  examples: z.array(z.object({ effectId: z.string(), name: z.string() })).nullable(),
})

/** By the partial index of orphans, which are few. */
const SQL = `
  WITH orphan AS (
    SELECT effect_id, name, orphan_at, amount_minor, currency FROM telemetry.effect
    WHERE orphan_at IS NOT NULL AND orphan_at <= $1 AND NOT settled AND outcome = 'committed'
  ), amounts AS (
    SELECT currency, sum(amount_minor) AS minor FROM orphan
    WHERE amount_minor IS NOT NULL AND currency IS NOT NULL GROUP BY currency
  )
  SELECT (SELECT count(*)::int FROM orphan) AS count, (SELECT min(orphan_at) FROM orphan) AS oldest_at,
    (SELECT jsonb_agg(jsonb_build_object('minor', minor::text, 'currency', currency) ORDER BY currency) FROM amounts) AS money,
    (SELECT jsonb_agg(jsonb_build_object('effectId', effect_id, 'name', name) ORDER BY orphan_at, effect_id)
     FROM (SELECT * FROM orphan ORDER BY orphan_at, effect_id LIMIT $2) few) AS examples`

/** Side effects that were found without a record before a moment, and are still. */
export async function readOldOrphans(db: Db, before: Date, examplesMax: number) {
  const { rows } = await db.pool.query(SQL, [before, examplesMax])
  const row = rowSchema.parse(rows[0])
  return {
    count: row.count,
    oldestAt: row.oldest_at?.toISOString() ?? null,
    money: row.money ?? [],
    examples: row.examples ?? [],
  }
}
