import type { Db } from '@/lib/db'
import { filterValues, MATCHING_TRACES, readWithin, type TraceFilter } from './list-traces'

/** Nobody needs to know by how much it is more. */
export const TRACES_COUNTED_MAX = 10_000

const SQL = `SELECT count(*)::int AS count FROM (SELECT ${MATCHING_TRACES} LIMIT ${TRACES_COUNTED_MAX}) AS counted`

/** How many traces match, counted to 10,000. Throws `timeout`. */
export async function countTraces(db: Db, filter: TraceFilter): Promise<number> {
  const [row] = await readWithin(db, SQL, filterValues(filter))
  return (row as { count: number }).count
}
