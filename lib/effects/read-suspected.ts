import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { CONFIRMING } from './list-effects'

const rowSchema = z.object({
  currency: z.string().nullable(),
  effects: z.number(),
  untold: z.number(),
  minor: z.string().nullable(),
})

/** By the partial index of duplicates, which are few. As read-causes.ts finds the case of an effect. */
const SQL = `
  SELECT e.currency, count(*)::int AS effects,
    count(*) FILTER (WHERE e.amount_minor IS NULL OR e.currency IS NULL)::int AS untold, sum(e.amount_minor)::text AS minor
  FROM telemetry.effect e
  LEFT JOIN LATERAL (
    SELECT o.key FROM mirror.object o
    WHERE o.key_hash = e.key_hash AND o.scope = e.scope AND o.side = 'intent' AND o.key IS NOT NULL
    ORDER BY o.occurred_at DESC LIMIT 1) o ON true
  WHERE e.duplicate AND e.time >= $2 AND e.time < $3
    AND NOT EXISTS (
      SELECT FROM reconciliation_case c
      WHERE e.effect_id <> '' AND c.scope = e.scope AND c.key = o.key AND c.class = ANY ($1) AND c.outcome = 'break'
        AND e.effect_id = ANY (c.effect_ids))
  GROUP BY e.currency ORDER BY e.currency`

/** Duplicates that spans tell and no case confirms, with what they are worth; `untold`: of these no amount was told. */
export async function readSuspected(
  db: Db,
  { from, to }: { from: Date; to: Date },
): Promise<{ effects: number; untold: number; amounts: MoneyJson[] }> {
  const { rows } = await db.pool.query(SQL, [CONFIRMING.duplicate, from, to])
  const parsed = rows.map((raw) => rowSchema.parse(raw))
  return {
    effects: parsed.reduce((sum, row) => sum + row.effects, 0),
    untold: parsed.reduce((sum, row) => sum + row.untold, 0),
    amounts: parsed.flatMap(({ currency, minor }) =>
      currency === null || minor === null ? [] : [{ minor, currency }],
    ),
  }
}
