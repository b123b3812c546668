import type pg from 'pg'
import { z } from 'zod'
import { inTransaction } from '@/lib/db'
import { lockMirror } from '@/lib/mirror/apply'
import { assignOperations } from '@/lib/mirror/operations'
import { unmatchedRows } from '@/lib/mirror/read/unassigned'
import type { StageContext } from '../stage/batch'
import type { StageOutcome } from '../stage/stage'
import { findUnmatched } from './find-unmatched'
import { inScope, isInside, type MatchScope, type RowCondition } from './match-scope'

export type Matched = { compared: number; matched: number }
export type MatchRun = { id: string; system: string; stage: Pick<StageOutcome, 'asOf' | 'sides'> }

/** Rows that get an operation together: their neighbours come on top. */
const UNMATCHED_A_BATCH = 2_000

/**
 * Finds what has to be classified and writes it down for this run: pairs without an operation are compared by their
 * columns; what is left gets an operation; operations are compared as a whole. Doing it twice finds the same. `save`
 * runs in the transaction that commits the result.
 */
export async function match(
  ctx: StageContext,
  run: MatchRun,
  scope: MatchScope,
  save: (matched: Matched, client: pg.PoolClient) => Promise<void>,
): Promise<Matched> {
  const pairs = scope.kind === 'operations' ? 0 : await matchPairs(ctx, run, scope)
  return inTransaction(ctx.db.pool, async (client) => {
    const operations = await matchOperations(client, run, scope)
    const matched = { compared: pairs + operations.compared, matched: pairs + operations.matched }
    await save(matched, client)
    return matched
  })
}

/** Returns how many charges pair up: those that are still without an operation when all that is unmatched has one. */
async function matchPairs(
  ctx: StageContext,
  run: MatchRun,
  scope: Exclude<MatchScope, { kind: 'operations' }>,
): Promise<number> {
  const range = inScope(scope)
  let left = await inTransaction(ctx.db.pool, async (client) => {
    const found = await findUnmatched(client, { ...run, sides: run.stage.sides }, range)
    await ctx.inBatch?.(client)
    return found
  })
  for (;;) {
    const placed = await inTransaction(ctx.db.pool, async (client) => {
      await lockMirror(client, run.system)
      const rows = await unmatchedRows(client, run.id, UNMATCHED_A_BATCH)
      const members = rows.map(({ aliases, ...row }) => ({ aliases, eager: true, row }))
      const named = await assignOperations(client, run.system, ctx.clock.now(), members)
      await ctx.inBatch?.(client)
      return named.placed
    })
    if (placed.length === 0) return left
    // Neighbours come along that paired up, and some that lie outside of the scope.
    left -= placed.filter((row) => row.side === 'provider' && isInside(row, scope)).length
  }
}

/**
 * $1 system, $2–$3 scope, and for a watermark $4 as of. What is open is classified again each time, and what was pending when
 * it is due.
 */
const TOUCHED = (inside: RowCondition) => `
  SELECT o.operation_id FROM mirror.object o WHERE o.system = $1 AND o.operation_id IS NOT NULL AND ${inside('o')}
  UNION SELECT operation_id FROM reconciliation_case WHERE system = $1 AND lifecycle <> 'resolved'`
const DUE = `UNION SELECT operation_id FROM mirror.pending WHERE system = $1 AND due_at <= $4`

/** The operations that a scope touches, and what the statement's first parameters are. */
function touchedBy(scope: MatchScope, system: string, asOf: Date): { sql: string; values: unknown[] } {
  if (scope.kind === 'operations')
    return { sql: 'SELECT unnest($2::bigint[]) AS operation_id', values: [system, scope.ids] }
  const { inside, from, to } = inScope(scope)
  return scope.kind === 'window'
    ? { sql: TOUCHED(inside), values: [system, from, to] }
    : { sql: `${TOUCHED(inside)} ${DUE}`, values: [system, from, to, asOf] }
}

/**
 * An operation is dropped when every key of it ended in a success, it has one charge, whatever was captured and
 * refunded is booked once with the same amount and currency, and what its records name exists. It says so only of what
 * classification would find nothing in (a test compares the two); what it keeps is classified one by one. `has`: the
 * parameters that say whether the system has a store, a ledger.
 */
const clean = (has: { intent: string; ledger: string }) => `
  bool_and(CASE o.side
    WHEN 'intent' THEN o.gone_at IS NULL AND o.status = 'completed' AND coalesce(o.http_status, 200) < 300
      AND (o.provider_ref IS NULL OR EXISTS (SELECT FROM mirror.object p
        WHERE o.provider_ref IN (p.provider_ref, p.parent_ref) AND p.side = 'provider' AND p.operation_id = o.operation_id
          AND p.status = 'succeeded'))
    WHEN 'ledger' THEN o.kind IN ('charge', 'refund') AND o.status = 'booked'
    WHEN 'provider' THEN o.status = 'succeeded' AND o.action_id IS NULL AND o.data->>'modeMix' = 'false'
      AND (o.kind IN ('refund', 'payment') OR o.captured_minor > 0)
    ELSE false END)
  AND count(*) FILTER (WHERE o.side = 'provider' AND o.kind = 'charge') = 1
  AND (NOT ${has.intent} OR count(*) FILTER (WHERE o.side = 'intent') > 0)
  AND coalesce(sum(o.amount_minor) FILTER (WHERE o.side = 'provider' AND o.kind = 'refund'), 0)
    <= coalesce(sum(o.captured_minor) FILTER (WHERE o.side = 'provider' AND o.kind = 'charge'), 0)
  AND count(*) FILTER (WHERE o.side = 'provider' AND o.kind = 'refund')
    = count(DISTINCT (o.scope, o.key, o.step)) FILTER (WHERE o.side = 'provider' AND o.kind = 'refund' AND o.key IS NOT NULL)
  AND (NOT ${has.ledger} OR array_agg((o.kind, o.provider_ref, coalesce(o.captured_minor, o.amount_minor), o.currency)::text
        ORDER BY o.kind, o.provider_ref) FILTER (WHERE o.side = 'provider' AND o.kind <> 'payment')
    IS NOT DISTINCT FROM array_agg((o.kind, o.provider_ref, o.amount_minor, o.currency)::text
        ORDER BY o.kind, o.provider_ref) FILTER (WHERE o.side = 'ledger'))`

const countsRow = z.object({ compared: z.coerce.number(), matched: z.coerce.number() })

async function matchOperations(client: pg.PoolClient, run: MatchRun, scope: MatchScope): Promise<Matched> {
  await client.query('DELETE FROM mirror.candidate WHERE run_id = $1 AND system = $2', [run.id, run.system])
  const { asOf, sides } = run.stage
  const { sql, values } = touchedBy(scope, run.system, asOf)
  const bind = (value: unknown): string => `$${values.push(value)}`
  const runId = bind(run.id)
  // Where the only source of a side was removed, classification says for each operation what it can still know.
  const has = (side: 'intent' | 'ledger') =>
    `(${bind(sides[side] !== 'none')} OR EXISTS (SELECT FROM ended_reading e WHERE e.system = $1 AND e.kind = '${side}'))`
  const isClean = clean({ intent: has('intent'), ledger: has('ledger') })
  const { rows } = await client.query(
    `WITH touched AS (${sql}),
     classified AS (
       SELECT o.operation_id, ${isClean} AS clean
       FROM touched t JOIN mirror.object o ON o.operation_id = t.operation_id
       WHERE o.system = $1
       GROUP BY o.operation_id
     ), kept AS (
       INSERT INTO mirror.candidate (run_id, system, operation_id)
       SELECT ${runId}, $1, operation_id FROM classified WHERE clean IS NOT TRUE
     )
     SELECT count(*) AS compared, count(*) FILTER (WHERE clean) AS matched FROM classified`,
    values,
  )
  return countsRow.parse(rows[0])
}
