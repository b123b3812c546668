import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

/** A side effect as a span of a trace saw it. */
export type TraceEffect = {
  traceId: string
  at: Date
  endAt: Date
  effectId: string | null
  name: string | null
  outcome: string | null
}

const rowSchema = z.object({
  traceId: z.string(),
  at: z.date(),
  endAt: z.date(),
  effectId: z.string().nullable(),
  name: z.string().nullable(),
  outcome: z.string().nullable(),
})

const EFFECTS_MAX = 200

/** Traces are few: the attempts of one key. */
const SQL = `
  SELECT encode(trace_id, 'hex') AS "traceId", start_time AS at, end_time AS "endAt",
         attributes->>'idempotency.effect.id' AS "effectId", attributes->>'idempotency.effect.name' AS name,
         attributes->>'idempotency.effect.outcome' AS outcome
  FROM telemetry.span
  WHERE trace_id = ANY (ARRAY(SELECT decode(id, 'hex') FROM unnest($1::text[]) AS id))
    AND attributes ? 'idempotency.effect.name'
  ORDER BY start_time LIMIT ${EFFECTS_MAX}`

/** When exactly the side effects of some traces happened: a provider's own stamps have whole seconds. */
export const readTraceEffects = (db: Db, traceIds: readonly string[]): Promise<TraceEffect[]> =>
  traceIds.length === 0 ? Promise.resolve([]) : readRows(db.pool, rowSchema, SQL, [[...traceIds]])
