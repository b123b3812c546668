import { z } from 'zod'
import type { Db } from '@/lib/db'
import { bigintColumn, readRows } from '../rows'

export type KeyEffect = {
  time: Date
  name: string
  step: string
  effectId: string
  outcome: string
  amount: { minor: bigint; currency: string } | null
  duplicate: boolean
  settled: boolean
  seenBy: ('span' | 'store' | 'provider')[]
  traceIds: string[]
}

const rowSchema = z.object({
  time: z.date(),
  name: z.string(),
  step: z.string(),
  effect_id: z.string(),
  outcome: z.string(),
  amount_minor: bigintColumn.nullable(),
  currency: z.string().nullable(),
  duplicate: z.boolean(),
  settled: z.boolean(),
  seen_by_span: z.boolean(),
  seen_by_store: z.boolean(),
  seen_by_provider: z.boolean(),
  trace_ids: z.array(z.string()),
})

const SQL = `
  SELECT time, name, step, effect_id, outcome, amount_minor::text, currency, duplicate, settled, seen_by_span,
    seen_by_store, seen_by_provider, ARRAY(SELECT encode(id, 'hex') FROM unnest(trace_ids) AS id) AS trace_ids
  FROM telemetry.effect
  WHERE key_hash = decode($1, 'hex') AND scope = $2
  ORDER BY time, effect_id LIMIT $3`

/** The effects of one key as spans, the store and the provider show them, oldest first. */
export async function listKeyEffects(
  db: Db,
  query: { scope: string; keyHash: string; limit: number },
): Promise<KeyEffect[]> {
  const rows = await readRows(db.pool, rowSchema, SQL, [query.keyHash, query.scope, query.limit])
  return rows.map((row) => ({
    time: row.time,
    name: row.name,
    step: row.step,
    effectId: row.effect_id,
    outcome: row.outcome,
    amount:
      row.amount_minor === null || row.currency === null
        ? null
        : { minor: row.amount_minor, currency: row.currency },
    duplicate: row.duplicate,
    settled: row.settled,
    seenBy: [
      ...(row.seen_by_span ? (['span'] as const) : []),
      ...(row.seen_by_store ? (['store'] as const) : []),
      ...(row.seen_by_provider ? (['provider'] as const) : []),
    ],
    traceIds: row.trace_ids,
  }))
}
