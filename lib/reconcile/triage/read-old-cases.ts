import type { CaseClass } from '@/lib/core/case-classes'
import { type MoneyJson, moneyToJson, sumByCurrency } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { caseView } from '../cases/case-view'

export type OldCases = {
  count: number
  oldestAt: string | null
  money: MoneyJson[]
  examples: { id: string; title: string }[]
}

/** More cases than these, and the money is a lower bound. */
const CASES_READ_MAX = 1_000

/** Cases of a system that are open since before a moment. What somebody has put off is not among them. */
export async function readOldCases(
  db: Db,
  {
    system,
    before,
    ...which
  }: { system: string; before: Date } & ({ severity: string } | { class: CaseClass }),
  examplesMax: number,
): Promise<OldCases> {
  const where = {
    ...which,
    system,
    outcome: 'break',
    lifecycle: { not: 'resolved' },
    triage: { not: 'snoozed' },
    firstSeen: { lte: before },
  }
  const [count, rows] = await Promise.all([
    db.prisma.reconciliationCase.count({ where }),
    db.prisma.reconciliationCase.findMany({
      where,
      orderBy: [{ firstSeen: 'asc' }, { id: 'asc' }],
      take: CASES_READ_MAX,
    }),
  ])
  const views = rows.map(caseView)
  const money = views.flatMap(({ amount }) =>
    amount === null ? [] : [{ minor: BigInt(amount.minor), currency: amount.currency }],
  )
  return {
    count,
    oldestAt: views[0]?.firstSeen ?? null,
    money: sumByCurrency(money).map(moneyToJson),
    examples: views.slice(0, examplesMax).map(({ id, title }) => ({ id, title })),
  }
}
