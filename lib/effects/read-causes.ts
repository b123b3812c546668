import { z } from 'zod'
import type { ReadContext } from '@/lib/context'
import type { MoneyJson } from '@/lib/core/money'
import { CONFIRMING, type EffectKind } from './list-effects'

/** One effect too many, or one that nothing answers for, with where it came from. */
export type CausedEffect = {
  id: string
  at: string
  /** '' = no span named it. */
  effectId: string
  name: string
  step: string
  scope: string
  service: string
  version: string
  /** Both null while no store that is read has the key. */
  key: string | null
  sourceId: string | null
  traceId: string | null
  amount: MoneyJson | null
  /** The case that confirms it; null = suspected by traces. */
  caseId: string | null
  class: string | null
}

const EFFECTS_MAX = 2_000

const rowSchema = z.object({
  time: z.date(),
  effect_id: z.string(),
  name: z.string(),
  step: z.string(),
  scope: z.string(),
  service: z.string(),
  version: z.string(),
  key_hash: z.string(),
  trace_id: z.string().nullable(),
  amount_minor: z.string().nullable(),
  currency: z.string().nullable(),
  source_id: z.string().nullable(),
  key: z.string().nullable(),
  case_id: z.string().nullable(),
  class: z.string().nullable(),
})

/** Which effects are meant: the extra ones that spans told of, and those that a case names without any such span. */
const WHICH = {
  duplicate: 'e.duplicate AND e.time >= $2 AND e.time < $3',
  orphan: `e.orphan_at IS NOT NULL AND NOT e.settled AND e.outcome = 'committed' AND e.time >= $2 AND e.time < $3`,
} as const satisfies Record<EffectKind, string>

const sqlOf = (kind: EffectKind): string => `
  SELECT e.time, e.effect_id, e.name, e.step, e.scope, e.service, e.version, encode(e.key_hash, 'hex') AS key_hash,
    encode(e.trace_ids[1], 'hex') AS trace_id, e.amount_minor::text, e.currency, o.source_id, o.key, c.id AS case_id, c.class
  FROM telemetry.effect e
  LEFT JOIN LATERAL (
    SELECT o.source_id, o.key FROM mirror.object o
    WHERE o.key_hash = e.key_hash AND o.scope = e.scope AND o.side = 'intent' AND o.key IS NOT NULL
    ORDER BY o.occurred_at DESC LIMIT 1) o ON true
  LEFT JOIN LATERAL (
    SELECT c.id, c.class FROM reconciliation_case c
    WHERE e.effect_id <> '' AND c.scope = e.scope AND c.key = o.key AND c.class = ANY ($1) AND c.outcome = 'break'
      AND e.effect_id = ANY (c.effect_ids) LIMIT 1) c ON true
  WHERE ${WHICH[kind]}
  ORDER BY e.time DESC LIMIT ${EFFECTS_MAX + 1}`

/** Duplicates of a range, or the orphans that are open now; newest first. `more` = every figure is a lower bound. */
export async function readCausedEffects(
  ctx: ReadContext,
  query: { kind: EffectKind; from: Date; to: Date },
): Promise<{ effects: CausedEffect[]; more: boolean }> {
  const { rows } = await ctx.db.pool.query(sqlOf(query.kind), [CONFIRMING[query.kind], query.from, query.to])
  return {
    effects: rows.slice(0, EFFECTS_MAX).map((raw) => toEffect(rowSchema.parse(raw))),
    more: rows.length > EFFECTS_MAX,
  }
}

function toEffect(row: z.infer<typeof rowSchema>): CausedEffect {
  const { amount_minor: minor, currency } = row
  return {
    id: [row.scope, row.key_hash, row.step, row.effect_id].join('|'),
    at: row.time.toISOString(),
    effectId: row.effect_id,
    name: row.name,
    step: row.step,
    scope: row.scope,
    service: row.service,
    version: row.version,
    key: row.key,
    sourceId: row.source_id,
    traceId: row.trace_id,
    amount: minor === null || currency === null ? null : { minor, currency },
    caseId: row.case_id,
    class: row.class,
  }
}
