import { z } from 'zod'
import { moneyJsonSchema } from '@/lib/core/money-json'
import type { Db } from '@/lib/db'

const amountsSchema = z.array(moneyJsonSchema)
const rowSchema = z.object({
  count: z.number(),
  oldest_at: z.date().nullable(),
  money: amountsSchema.nullable(),
  examples: z.array(z.object({ id: z.string(), scope: z.string() })).nullable(),
})

export type StuckKeys = {
  count: number
  oldestAt: string | null
  /** What the provider says was, or may have been, moved behind them. */
  money: z.infer<typeof amountsSchema>
  examples: { id: string; scope: string }[]
}

export type StuckQuery = {
  system: string
  /** First acquired before then. */
  before: Date
  /** Without those of which the provider was heard to have nothing. */
  moneyOnly: boolean
}

/** Absence is proved: only `none` says that no money moved. */
const SQL = `
  WITH stuck AS (
    SELECT l.id, l.scope, l.acquired_at, l.provider_answer FROM lock l JOIN source s ON s.id = l.source_id
    WHERE l.gone_at IS NULL AND l.state IN ('lease_expired', 'unknown') AND s.enabled AND s.system = $1
      AND l.acquired_at <= $2 AND ($3 IS NOT TRUE OR l.provider_answer->>'kind' <> 'none')
  ), amounts AS (
    SELECT o->'amount'->>'currency' AS currency, sum((o->'amount'->>'minor')::numeric) AS minor
    FROM stuck CROSS JOIN LATERAL jsonb_array_elements(
      CASE WHEN provider_answer->>'kind' IN ('found', 'possible') THEN provider_answer->'objects' ELSE '[]' END) o
    WHERE jsonb_typeof(o->'amount') = 'object' AND coalesce(o->>'kind', '') <> 'refund' AND coalesce(o->>'undone', '') <> 'true'
    GROUP BY 1
  )
  SELECT (SELECT count(*)::int FROM stuck) AS count, (SELECT min(acquired_at) FROM stuck) AS oldest_at,
    (SELECT jsonb_agg(jsonb_build_object('minor', minor::text, 'currency', currency) ORDER BY currency) FROM amounts) AS money,
    (SELECT jsonb_agg(jsonb_build_object('id', id, 'scope', scope) ORDER BY acquired_at, id)
     FROM (SELECT * FROM stuck ORDER BY acquired_at, id LIMIT $4) few) AS examples`

/** The keys of a system that are stuck since before a moment, with what may have moved behind them. */
export async function readStuckKeys(db: Db, query: StuckQuery, examplesMax: number): Promise<StuckKeys> {
  const { rows } = await db.pool.query(SQL, [query.system, query.before, query.moneyOnly, examplesMax])
  const row = rowSchema.parse(rows[0])
  return {
    count: row.count,
    oldestAt: row.oldest_at?.toISOString() ?? null,
    money: row.money ?? [],
    examples: row.examples ?? [],
  }
}
