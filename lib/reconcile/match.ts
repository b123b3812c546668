import type pg from 'pg'
import { z } from 'zod'
import type { TimeRange } from '@/lib/sources/contracts'
import type { Cut } from '@/lib/sources/mirror/cut'

export type Matched = { compared: number; matched: number }

/**
 * What a scheduled run compares: what was staged since the last cut, what was pending and is due, what is open.
 * $1 system, $2–$3 cut, $4 as of.
 */
const SCHEDULED = `
  SELECT operation_id FROM mirror.object WHERE system = $1 AND seq > $2 AND seq <= $3
  UNION SELECT operation_id FROM mirror.pending WHERE system = $1 AND due_at <= $4
  UNION SELECT operation_id FROM reconciliation_case WHERE system = $1 AND lifecycle <> 'resolved'`

/** On demand: what lies in the window by its source's time, and what is open. $2–$3 window. */
const ON_DEMAND = `
  SELECT o.operation_id FROM source s JOIN mirror.object o ON o.source_id = s.id
  WHERE s.system = $1 AND o.occurred_at >= $2 AND o.occurred_at < $3 AND $4::timestamptz IS NOT NULL
  UNION SELECT operation_id FROM reconciliation_case WHERE system = $1 AND lifecycle <> 'resolved'`

/**
 * Exact pairs are derived, never stored: an operation is dropped when every key of it ended in a success, it has one
 * charge, whatever was captured and refunded is booked once with the same amount and currency, and what its records
 * name exists. It says so only of what classification would find nothing in (a test compares the two); what it keeps
 * is judged one by one.
 */
const CLEAN = `
  bool_and(CASE o.side
    WHEN 'intent' THEN o.gone_at IS NULL AND o.status = 'completed' AND coalesce(o.http_status, 200) < 300
      AND (o.provider_ref IS NULL OR EXISTS (SELECT FROM mirror.object p
        WHERE p.provider_ref = o.provider_ref AND p.side = 'provider' AND p.operation_id = o.operation_id
          AND p.status = 'succeeded'))
    WHEN 'ledger' THEN o.kind IN ('charge', 'refund') AND o.status = 'booked'
    WHEN 'provider' THEN o.status = 'succeeded' AND o.action_id IS NULL AND o.data->>'modeMix' = 'false'
      AND (o.kind = 'refund' OR o.captured_minor > 0)
    ELSE false END)
  AND count(*) FILTER (WHERE o.side = 'provider' AND o.kind = 'charge') = 1
  AND count(*) FILTER (WHERE o.side = 'intent') > 0
  AND coalesce(sum(o.amount_minor) FILTER (WHERE o.side = 'provider' AND o.kind = 'refund'), 0)
    <= coalesce(sum(o.captured_minor) FILTER (WHERE o.side = 'provider' AND o.kind = 'charge'), 0)
  AND count(*) FILTER (WHERE o.side = 'provider' AND o.kind = 'refund')
    = count(DISTINCT (o.scope, o.key, o.step)) FILTER (WHERE o.side = 'provider' AND o.kind = 'refund' AND o.key IS NOT NULL)
  AND array_agg((o.kind, o.provider_ref, coalesce(o.captured_minor, o.amount_minor), o.currency)::text
        ORDER BY o.kind, o.provider_ref) FILTER (WHERE o.side = 'provider')
    IS NOT DISTINCT FROM array_agg((o.kind, o.provider_ref, o.amount_minor, o.currency)::text
        ORDER BY o.kind, o.provider_ref) FILTER (WHERE o.side = 'ledger')`

const countsRow = z.object({ compared: z.coerce.number(), matched: z.coerce.number() })

/** Finds what has to be judged and writes it down for this run. Doing it twice finds the same. */
export async function match(
  client: pg.PoolClient,
  run: { id: string; system: string; asOf: Date },
  scope: { cut: Cut } | { window: TimeRange },
): Promise<Matched> {
  const [touched, from, to] =
    'cut' in scope
      ? [SCHEDULED, scope.cut.from, scope.cut.to]
      : [ON_DEMAND, scope.window.from, scope.window.to]
  await client.query('DELETE FROM mirror.candidate WHERE run_id = $1 AND system = $2', [run.id, run.system])
  const { rows } = await client.query(
    `WITH touched AS (${touched}),
     judged AS (
       SELECT o.operation_id, ${CLEAN} AS clean
       FROM touched t JOIN mirror.object o ON o.operation_id = t.operation_id
       WHERE o.system = $1
       GROUP BY o.operation_id
     ), kept AS (
       INSERT INTO mirror.candidate (run_id, system, operation_id)
       SELECT $5, $1, operation_id FROM judged WHERE clean IS NOT TRUE
     )
     SELECT count(*) AS compared, count(*) FILTER (WHERE clean) AS matched FROM judged`,
    [run.system, from, to, run.asOf, run.id],
  )
  return countsRow.parse(rows[0])
}
