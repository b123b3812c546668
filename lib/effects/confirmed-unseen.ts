import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { MoneyJson } from '@/lib/core/money'
import { CONFIRMING, type EffectKind } from './list-effects'

/** A case of the kind that no span told of: the store and the provider alone show it. */
export type UnseenEffect = {
  caseId: string
  at: string
  class: string
  scope: string | null
  key: string | null
  /** The store that has the key; null while none that is read does. */
  sourceId: string | null
  effectIds: string[]
  amount: MoneyJson | null
}

const CASES_MAX = 500

const rowSchema = z.object({
  id: z.string(),
  first_seen: z.date(),
  class: z.string(),
  scope: z.string().nullable(),
  key: z.string().nullable(),
  source_id: z.string().nullable(),
  effect_ids: z.array(z.string()),
  amount_minor: z.string().nullable(),
  currency: z.string().nullable(),
})

const SQL = `
  SELECT c.id, c.first_seen, c.class, c.scope, c.key, o.source_id, c.effect_ids, c.amount_minor::text, c.currency
  FROM reconciliation_case c
  LEFT JOIN LATERAL (
    SELECT o.source_id FROM mirror.object o
    WHERE o.key = c.key AND o.scope = c.scope AND o.side = 'intent'
    ORDER BY o.occurred_at DESC LIMIT 1) o ON true
  WHERE c.class = ANY ($1) AND c.outcome = 'break' AND c.first_seen >= $2 AND c.first_seen < $3
    AND ($4::boolean IS NOT TRUE OR c.lifecycle <> 'resolved') AND NOT (c.id = ANY ($5))
  ORDER BY c.first_seen DESC, c.id LIMIT ${CASES_MAX + 1}`

/** Confirmed cases besides those that are already listed by their spans (`seen`), newest first. */
export async function readUnseenEffects(
  ctx: Pick<SystemContext, 'db'>,
  query: { kind: EffectKind; from: Date; to: Date; seen: readonly string[] },
): Promise<{ effects: UnseenEffect[]; more: boolean }> {
  const { kind, from, to, seen } = query
  const values = [CONFIRMING[kind], from, to, kind === 'orphan', seen]
  const { rows } = await ctx.db.pool.query(SQL, values)
  const effects = rows.slice(0, CASES_MAX).map((raw): UnseenEffect => {
    const row = rowSchema.parse(raw)
    const { amount_minor: minor, currency } = row
    return {
      caseId: row.id,
      at: row.first_seen.toISOString(),
      class: row.class,
      scope: row.scope,
      key: row.key,
      sourceId: row.source_id,
      effectIds: row.effect_ids,
      amount: minor === null || currency === null ? null : { minor, currency },
    }
  })
  return { effects, more: rows.length > CASES_MAX }
}
