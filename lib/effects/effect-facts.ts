import { z } from 'zod'
import type { ReadContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import { env } from '@/lib/env'
import { keyHash } from '@/lib/sources/key-hash'

export type EffectSubject = {
  scope: string | null
  key: string | null
  keyHash: string | null
  effectIds: readonly string[]
  name: string | null
  step: string | null
}

/** What telemetry and the mirror add to an effect. */
export type EffectFacts = {
  key: string | null
  name: string | null
  step: string | null
  /** All effects of the same step on the key, in order of time. */
  effectIds: string[]
  traceIds: string[]
}

const TRACES_SHOWN_MAX = 20

/** One statement for a page; rows are found by the key's hash, which both sides index. */
const FACTS = `
  WITH subject AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
      s(n int, scope text, "keyHash" text, name text, step text, "effectIds" jsonb)
  ), found AS (
    SELECT s.n, e.name, e.step, e.effect_id, e.time, e.trace_ids
    FROM subject s
    JOIN telemetry.effect e ON e.key_hash = decode(s."keyHash", 'hex') AND e.scope = s.scope
      AND (s.name IS NULL OR e.name = s.name) AND (s.step IS NULL OR e.step = s.step)
      AND (s.name IS NOT NULL OR s."effectIds" ? e.effect_id)
  )
  SELECT s.n, min(f.name) AS name, min(f.step) AS step,
    coalesce(array_agg(f.effect_id ORDER BY f.time, f.effect_id) FILTER (WHERE f.effect_id <> ''), '{}') AS effect_ids,
    ARRAY(SELECT DISTINCT encode(t, 'hex') FROM found g CROSS JOIN LATERAL unnest(g.trace_ids) t
          WHERE g.n = s.n ORDER BY 1 LIMIT ${TRACES_SHOWN_MAX}) AS trace_ids,
    (SELECT o.key FROM mirror.object o
     WHERE o.key_hash = decode(s."keyHash", 'hex') AND o.scope = s.scope AND o.key IS NOT NULL LIMIT 1) AS key
  FROM subject s LEFT JOIN found f ON f.n = s.n
  GROUP BY s.n, s.scope, s."keyHash"`

const rowSchema = z.object({
  n: z.number(),
  name: z.string().nullable(),
  step: z.string().nullable(),
  effect_ids: z.array(z.string()),
  trace_ids: z.array(z.string()),
  key: z.string().nullable(),
})

/** In the order of the subjects; one without a key or a hash has no facts. */
export async function describeEffects(
  ctx: ReadContext,
  subjects: readonly EffectSubject[],
): Promise<(EffectFacts | undefined)[]> {
  const secret = env().IDEMSCOPE_KEY_SECRET
  const asked = subjects.flatMap((subject, n) => {
    const hash =
      subject.keyHash ?? (subject.key === null || secret === undefined ? null : keyHash(secret, subject.key))
    return hash === null || subject.scope === null ? [] : [{ ...subject, n, keyHash: hash }]
  })
  const facts: (EffectFacts | undefined)[] = subjects.map(() => undefined)
  if (asked.length === 0) return facts
  const { rows } = await ctx.db.pool.query(FACTS, [canonicalJson(asked)])
  for (const raw of rows) {
    const { n, effect_ids: effectIds, trace_ids: traceIds, key, name, step } = rowSchema.parse(raw)
    facts[n] = { key, name, step, effectIds, traceIds }
  }
  return facts
}
