import { z } from 'zod'
import type { Db } from '@/lib/db'
import { bigintColumn, readRows } from '../rows'

export type SuspectedEffect = {
  kind: 'duplicate' | 'orphan'
  time: Date
  /** orphan: when it was found uncovered after grace */
  orphanAt: Date | null
  name: string
  step: string
  scope: string
  keyHash: string
  effectId: string
  outcome: string
  amount: { minor: bigint; currency: string } | null
  seenBy: ('span' | 'store' | 'provider')[]
  service: string
  traceIds: string[]
  /** orphan: false once its key reached a terminal record */
  open: boolean
}

/** Newest first; `next` of one page is the cursor of the following. Times are compared to the millisecond. */
export type EffectCursor = { time: Date; tie: string }

const rowSchema = z.object({
  time: z.date(),
  orphan_at: z.date().nullable(),
  name: z.string(),
  step: z.string(),
  scope: z.string(),
  key_hash: z.string(),
  effect_id: z.string(),
  outcome: z.string(),
  amount_minor: bigintColumn.nullable(),
  currency: z.string().nullable(),
  seen_by_span: z.boolean(),
  seen_by_store: z.boolean(),
  seen_by_provider: z.boolean(),
  service: z.string(),
  trace_ids: z.array(z.string()),
  settled: z.boolean(),
  tie: z.string(),
})

const WHERE = { duplicate: 'duplicate', orphan: 'orphan_at IS NOT NULL' } as const

const MILLISECOND = "date_trunc('milliseconds', time)"
/** Unique among the effects of one millisecond. */
const TIE = "concat_ws(' ', effect_id, name, step, encode(key_hash, 'hex'), scope)"

const sqlOf = (kind: 'duplicate' | 'orphan') => `
  SELECT time, orphan_at, name, step, scope, encode(key_hash, 'hex') AS key_hash, effect_id, outcome,
         amount_minor::text, currency, seen_by_span, seen_by_store, seen_by_provider, service, settled, ${TIE} AS tie,
         ARRAY(SELECT encode(id, 'hex') FROM unnest(trace_ids) AS id) AS trace_ids
  FROM telemetry.effect
  WHERE ${WHERE[kind]} AND time >= $1 AND time < $2
    AND ($3::timestamptz IS NULL OR (${MILLISECOND}, ${TIE}) < ($3, $4))
    AND ($6::boolean IS NOT TRUE OR NOT settled)
  ORDER BY ${MILLISECOND} DESC, ${TIE} DESC
  LIMIT $5`

/** Suspected from telemetry; the store and the provider confirm them. Both kinds are few and have their own index. */
export async function listEffects(
  db: Db,
  query: {
    kind: 'duplicate' | 'orphan'
    from: Date
    to: Date
    limit: number
    cursor?: EffectCursor | undefined
    openOnly?: boolean | undefined
  },
): Promise<{ items: SuspectedEffect[]; next: EffectCursor | null }> {
  const { kind, from, to, limit, cursor } = query
  const values = [from, to, cursor?.time ?? null, cursor?.tie ?? null, limit + 1, query.openOnly ?? null]
  const rows = await readRows(db.pool, rowSchema, sqlOf(kind), values)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const next = rows.length > limit && last ? { time: last.time, tie: last.tie } : null
  return { items: page.map((row) => toSuspect(kind, row)), next }
}

function toSuspect(kind: SuspectedEffect['kind'], row: z.infer<typeof rowSchema>): SuspectedEffect {
  const { amount_minor: minor, currency } = row
  const seenBy: SuspectedEffect['seenBy'] = []
  if (row.seen_by_span) seenBy.push('span')
  if (row.seen_by_store) seenBy.push('store')
  if (row.seen_by_provider) seenBy.push('provider')
  return {
    kind,
    time: row.time,
    orphanAt: row.orphan_at,
    name: row.name,
    step: row.step,
    scope: row.scope,
    keyHash: row.key_hash,
    effectId: row.effect_id,
    outcome: row.outcome,
    amount: minor !== null && currency !== null ? { minor, currency } : null,
    seenBy,
    service: row.service,
    traceIds: row.trace_ids,
    open: kind === 'orphan' && !row.settled,
  }
}
