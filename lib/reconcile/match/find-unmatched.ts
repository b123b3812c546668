import type pg from 'pg'
import { z } from 'zod'
import { SIDES, type Side, type SideState } from '../stage/stage'
import type { inScope, RowCondition } from './match-scope'

const ENDED = {
  provider: `o.status = 'succeeded' AND o.kind = 'charge' AND o.captured_minor > 0 AND o.action_id IS NULL`,
  ledger: `o.kind = 'charge' AND o.status = 'booked'`,
  intent: `o.status = 'completed' AND coalesce(o.http_status, 200) < 300 AND o.gone_at IS NULL`,
} as const satisfies Record<Side, string>

/**
 * Rows of one side that have no operation yet. `match_key`: what its partners have in common with it. Only what the
 * join needs: each column more is carried a million times.
 */
const rowsOf = (side: Side, inside: RowCondition) => `(
  SELECT o.seq, coalesce(o.reference, o.provider_ref) AS match_key, o.provider_ref, o.scope, o.key, o.currency,
    coalesce(o.captured_minor, o.amount_minor) AS minor, ${ENDED[side]} AS ended
  FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.side = '${side}' AND ${inside('o')})`

const SAME = {
  ledger: `l.ended AND l.provider_ref = p.provider_ref AND l.minor = p.minor AND l.currency = p.currency`,
  intent: `i.ended AND i.provider_ref = p.provider_ref AND i.key = p.key AND i.scope = p.scope`,
} as const

/**
 * Exact pairs are derived, never stored: the sides are joined by their match key, and a row of the join is clean when
 * the charge, its posting and its record (of the sides that the system has) each ended well and name the same provider
 * id, amount, currency, reference and key. Two charges of one order meet each other's postings here and are not clean.
 * What is not clean comes back by its number in our order, then as ids: few, or there is a flood. `charges` counts a
 * charge once for each partner. (One join in parallel; grouping all sides by the provider's id instead took three times
 * as long, and carrying the ids through the join a fifth longer.)
 */
function joined(inside: RowCondition, has: Record<'ledger' | 'intent', boolean>): string {
  const ledger = has.ledger
    ? {
        from: `FULL JOIN ${rowsOf('ledger', inside)} l ON l.match_key = p.match_key`,
        same: SAME.ledger,
        id: 'l' as const,
      }
    : { from: '', same: 'true', id: null }
  const matchKey = has.ledger ? 'coalesce(p.match_key, l.match_key)' : 'p.match_key'
  const intent = has.intent
    ? {
        from: `FULL JOIN ${rowsOf('intent', inside)} i ON i.match_key = ${matchKey}`,
        same: SAME.intent,
        id: 'i' as const,
      }
    : { from: '', same: 'true', id: null }
  const same = `p.ended AND ${ledger.same} AND ${intent.same}`
  return `
    CREATE TEMP TABLE joined ON COMMIT DROP AS
    WITH pairs AS MATERIALIZED (
      SELECT count(p.seq) AS charges, ${numbersOf('p', same)} AS provider, ${numbersOf(ledger.id, same)} AS ledger,
        ${numbersOf(intent.id, same)} AS intent
      FROM ${rowsOf('provider', inside)} p ${ledger.from} ${intent.from}
    )
    SELECT pairs.charges, unmatched.source_id, unmatched.object_id FROM pairs LEFT JOIN LATERAL (
      ${SIDES.map((side) => numbered(side)).join(' UNION ALL ')}
    ) unmatched ON true`
}

/** Put together only where it is wanted: a million times it cost as much as the join. */
const numbersOf = (row: 'p' | 'l' | 'i' | null, same: string): string =>
  row === null
    ? 'NULL::bigint[]'
    : `array_agg(${row}.seq) FILTER (WHERE (${same}) IS NOT TRUE AND ${row}.seq IS NOT NULL)`

/** In the statement of the join: what another stager renumbers meanwhile is still the row that was compared. */
const numbered = (side: Side) => `
  SELECT o.source_id, o.object_id FROM mirror.object o
  WHERE o.system = $1 AND o.side = '${side}' AND o.operation_id IS NULL AND o.seq = ANY (pairs.${side})`

const UNMATCHED = `
  INSERT INTO mirror.unmatched (run_id, source_id, object_id)
  SELECT $1, source_id, object_id FROM joined WHERE source_id IS NOT NULL
  ON CONFLICT DO NOTHING`

/** What no side's join can hold: rows without a match key, and rows of other kinds. */
const UNKEYED = (inside: RowCondition) => `
  INSERT INTO mirror.unmatched (run_id, source_id, object_id)
  SELECT $4, o.source_id, o.object_id FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.provider_ref IS NULL AND ${inside('o')}
  ON CONFLICT DO NOTHING`

/** Objects of the other mode: an index finds the few, where the join would open every row's document. */
const OTHER_MODE = (inside: RowCondition) => `
  INSERT INTO mirror.unmatched (run_id, source_id, object_id)
  SELECT $4, o.source_id, o.object_id FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.side = 'provider'
    AND o.data->>'modeMix' IS DISTINCT FROM 'false' AND ${inside('o')}
  ON CONFLICT DO NOTHING`

/** The provider's rows of the scope that have no operation: each is in one row of the join, or in several. */
const CHARGES = (inside: RowCondition) => `
  SELECT count(*) AS charges FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.side = 'provider' AND ${inside('o')}`

/** Several rows with one value where there may be one: of one key, one order, or one id that was booked in parts. */
const REPEATED = (inside: RowCondition, side: Side, column: 'key' | 'reference' | 'provider_ref') => `
  INSERT INTO mirror.unmatched (run_id, source_id, object_id)
  SELECT $4, o.source_id, o.object_id FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.side = '${side}' AND ${inside('o')} AND o.${column} IS NOT NULL
    AND o.${column} IN (
    SELECT o.${column} FROM mirror.object o
    WHERE o.system = $1 AND o.operation_id IS NULL AND o.side = '${side}' AND o.${column} IS NOT NULL AND ${inside('o')}
    GROUP BY o.${column} HAVING count(*) > 1)
  ON CONFLICT DO NOTHING`

/**
 * Charges whose order or key was there before, on a row that has no operation either. OFFSET 0 makes it one probe of the
 * column's own index for each charge: before the table is analysed the planner prefers the index of all rows without an
 * operation (8 s for 200 rows).
 */
const REPEATED_OUTSIDE = (inside: RowCondition, outside: RowCondition, column: 'reference' | 'key') => `
  INSERT INTO mirror.unmatched (run_id, source_id, object_id)
  SELECT $4, o.source_id, o.object_id FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.side = 'provider' AND o.${column} IS NOT NULL AND ${inside('o')}
    AND EXISTS (
      SELECT FROM (
        SELECT x.system, x.operation_id, x.side, x.seq, x.occurred_at FROM mirror.object x
        WHERE x.${column} = o.${column} OFFSET 0) x
      WHERE x.system = $1 AND x.operation_id IS NULL AND x.side IN ('provider', 'intent') AND ${outside('x')})
  ON CONFLICT DO NOTHING`

const chargesRow = z.object({ charges: z.coerce.number() })

/** What one comparison may hold in the server's memory; beyond it the join goes to disk. */
const WORK_MEM_MB = 256

/**
 * Writes down the rows of a scope that do not pair up. Returns how many of the provider's rows were looked at: those
 * that are still without an operation when the unmatched ones have theirs are the pairs. Doing it twice finds the same.
 */
export async function findUnmatched(
  client: pg.PoolClient,
  run: { id: string; system: string; sides: Record<Side, SideState> },
  { inside, outside, from, to }: ReturnType<typeof inScope>,
): Promise<number> {
  const has = { ledger: run.sides.ledger !== 'none', intent: run.sides.intent !== 'none' }
  const scope = [run.system, from, to]
  await client.query('DELETE FROM mirror.unmatched WHERE run_id = $1', [run.id])
  await client.query(`SET LOCAL work_mem = '${WORK_MEM_MB}MB'`)
  await client.query(joined(inside, has), scope)
  await client.query(UNMATCHED, [run.id])
  for (const statement of [UNKEYED, OTHER_MODE]) await client.query(statement(inside), [...scope, run.id])
  const { rows: seen } = await client.query('SELECT charges FROM joined LIMIT 1')
  const { rows: there } = await client.query(CHARGES(inside), scope)
  const charges = chargesRow.parse(there[0]).charges
  // Some charge met several partners: which one is found by looking for them.
  if (chargesRow.parse(seen[0]).charges !== charges) {
    for (const side of ['ledger', 'intent'] as const) {
      if (has[side]) await client.query(REPEATED(inside, side, 'provider_ref'), [...scope, run.id])
    }
  }
  await client.query(REPEATED(inside, 'provider', 'key'), [...scope, run.id])
  if (!has.ledger && !has.intent) {
    await client.query(REPEATED(inside, 'provider', 'reference'), [...scope, run.id])
  }
  if (outside !== null) {
    for (const column of ['reference', 'key'] as const) {
      await client.query(REPEATED_OUTSIDE(inside, outside, column), [...scope, run.id])
    }
  }
  return charges
}
