import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'

export type ConfirmedEffect = {
  id: string
  at: Date
  class: string
  scope: string | null
  key: string | null
  effectIds: string[]
  amount: MoneyJson | null
}

const rowSchema = z.object({
  id: z.string(),
  first_seen: z.date(),
  class: z.string(),
  scope: z.string().nullable(),
  key: z.string().nullable(),
  effect_ids: z.array(z.string()),
  amount_minor: z.string().nullable(),
  currency: z.string().nullable(),
})

const LIST = `
  SELECT id, first_seen, class, scope, key, effect_ids, amount_minor::text, currency
  FROM reconciliation_case
  WHERE class = ANY ($1) AND outcome = 'break'
    AND ($2::timestamptz IS NULL OR first_seen < $2 OR (first_seen = $2 AND id < $3))
  ORDER BY first_seen DESC, id DESC LIMIT $4`

/** Cases of these classes, resolved ones too, newest first. */
export async function listConfirmed(
  db: Db,
  classes: readonly string[],
  page: { limit: number; after: { at: Date; id: string } | null },
): Promise<ConfirmedEffect[]> {
  const { rows } = await db.pool.query(LIST, [
    classes,
    page.after?.at ?? null,
    page.after?.id ?? null,
    page.limit,
  ])
  return rows.map((raw) => {
    const row = rowSchema.parse(raw)
    const { amount_minor: minor, currency } = row
    return {
      id: row.id,
      at: row.first_seen,
      class: row.class,
      scope: row.scope,
      key: row.key,
      effectIds: row.effect_ids,
      amount: minor === null || currency === null ? null : { minor, currency },
    }
  })
}

const CONFIRMED = `
  SELECT DISTINCT e.id FROM reconciliation_case c CROSS JOIN LATERAL unnest(c.effect_ids) e(id)
  WHERE c.class = ANY ($1) AND c.outcome = 'break' AND c.effect_ids && $2::text[] AND e.id = ANY ($2)`

/** Which of these effects a case names. */
export async function confirmedIds(
  db: Db,
  classes: readonly string[],
  effectIds: readonly string[],
): Promise<Set<string>> {
  const asked = effectIds.filter((id) => id !== '')
  if (asked.length === 0) return new Set()
  const { rows } = await db.pool.query<{ id: string }>(CONFIRMED, [classes, asked])
  return new Set(rows.map((row) => row.id))
}

const SETTLED = `
  SELECT e.id FROM reconciliation_case c CROSS JOIN LATERAL unnest(c.effect_ids) e(id)
  WHERE c.class = ANY ($1) AND c.effect_ids && $2::text[] AND e.id = ANY ($2)
  GROUP BY e.id HAVING bool_and(c.lifecycle = 'resolved')`

/** Of which of these effects every case is resolved, and there is one. */
export async function settledIds(
  db: Db,
  classes: readonly string[],
  effectIds: readonly string[],
): Promise<Set<string>> {
  if (effectIds.length === 0) return new Set()
  const { rows } = await db.pool.query<{ id: string }>(SETTLED, [classes, effectIds])
  return new Set(rows.map((row) => row.id))
}
