import type { Db } from '@/lib/db'
import { type CaseFilter, caseWhere } from './cases'

const COUNTED_MAX = 10_000

/** Only what is open can be triaged, whatever else the filter matches. */
const triageable = (filter: CaseFilter) => ({
  AND: [caseWhere(filter), { lifecycle: { not: 'resolved' } }],
})

/** By name, what a filter matches now: the oldest first, at most `max`. What is opened later is not among them. */
export async function selectMatchingCases(
  db: Db,
  filter: CaseFilter,
  max: number,
): Promise<{ ids: string[]; more: boolean }> {
  const rows = await db.prisma.reconciliationCase.findMany({
    where: triageable(filter),
    orderBy: [{ firstSeen: 'asc' }, { id: 'asc' }],
    take: max + 1,
    select: { id: true },
  })
  return { ids: rows.slice(0, max).map(({ id }) => id), more: rows.length > max }
}

/** How many there are to choose from, counted up to 10,000. */
export const countTriageable = (db: Db, filter: CaseFilter): Promise<number> =>
  db.prisma.reconciliationCase.count({ where: triageable(filter), take: COUNTED_MAX })
