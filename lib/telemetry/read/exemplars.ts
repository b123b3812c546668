import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from './rows'

/** One of those that a counter counted: its trace, which the console shows redacted, and nothing else of it. */
export type Exemplar = { traceId: string; at: Date }
export type Exemplars = {
  duplicateEffect: Exemplar | null
  /** Of each outcome that is not ordinary. */
  byOutcome: ReadonlyMap<string, Exemplar>
}

const rowSchema = z.object({
  outcome: z.string(),
  trace_id: z.string().regex(/^[0-9a-f]{32}$/),
  at: z.date(),
})

/** By the index of what is not ordinary, one look-up an outcome. */
const REQUESTS = `
  SELECT o.outcome, encode(r.trace_id, 'hex') AS trace_id, r.time AS at
  FROM unnest($3::text[]) o(outcome) CROSS JOIN LATERAL (
    SELECT trace_id, time FROM telemetry.keyed_request
    WHERE key_hash IS NOT NULL AND (outcome NOT IN ('executed', 'replayed') OR expired_retry OR effect_twice)
      AND outcome = o.outcome AND time >= $1 AND time < $2
    ORDER BY time DESC LIMIT 1) r`

const DUPLICATE = `
  SELECT 'twice' AS outcome, encode(trace_ids[array_upper(trace_ids, 1)], 'hex') AS trace_id, time AS at
  FROM telemetry.effect WHERE duplicate AND cardinality(trace_ids) > 0 AND time >= $1 AND time < $2
  ORDER BY time DESC LIMIT 1`

/** The latest trace of a window that was a duplicate effect, or ended in each of these outcomes. */
export async function readExemplars(
  db: Db,
  { from, to }: { from: Date; to: Date },
  outcomes: readonly string[],
): Promise<Exemplars> {
  const [duplicates, requests] = await Promise.all([
    readRows(db.pool, rowSchema, DUPLICATE, [from, to]),
    readRows(db.pool, rowSchema, REQUESTS, [from, to, outcomes]),
  ])
  const exemplarOf = ({ trace_id: traceId, at }: z.output<typeof rowSchema>): Exemplar => ({ traceId, at })
  const [duplicate] = duplicates
  return {
    duplicateEffect: duplicate === undefined ? null : exemplarOf(duplicate),
    byOutcome: new Map(requests.map((row) => [row.outcome, exemplarOf(row)])),
  }
}
