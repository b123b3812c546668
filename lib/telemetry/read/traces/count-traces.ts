import type { Db } from '@/lib/db'
import { filterValues, matchingTraces, readWithin, type TraceFilter } from './list-traces'

/** Nobody needs to know by how much it is more. */
export const TRACES_COUNTED_MAX = 10_000

const sqlOf = (filter: TraceFilter) =>
  `SELECT count(*)::int AS count FROM (SELECT ${matchingTraces(filter)} LIMIT ${TRACES_COUNTED_MAX}) AS counted`

/** How many traces match, counted to 10,000. Throws `timeout`. */
export async function countTraces(db: Db, filter: TraceFilter): Promise<number> {
  const [row] = await readWithin(db, sqlOf(filter), filterValues(filter))
  return (row as { count: number }).count
}
