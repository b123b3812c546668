import { type MoneyJson, moneyToJson, sumByCurrency } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import type { Prisma } from '@/prisma/generated/client'
import { actionText } from './describe-action'
import { actionView } from './view'

export type WaitingActions = {
  count: number
  oldestAt: string | null
  money: MoneyJson[]
  examples: { id: string; label: string; caseId: string | null }[]
}

const ACTIONS_READ_MAX = 500

/** Proposals that nobody has decided since before a moment. */
export const readWaitingApprovals = (db: Db, before: Date, examplesMax: number): Promise<WaitingActions> =>
  read(db, { state: 'proposed', createdAt: { lte: before } }, examplesMax)

/** Actions of which nobody knows since before a moment how they ended. */
export const readUnknownOutcomes = (db: Db, before: Date, examplesMax: number): Promise<WaitingActions> =>
  read(db, { state: { in: ['executing', 'unknown'] }, executedAt: { lte: before } }, examplesMax)

/** Corrections that may have moved money, sent before a moment, and not known to have ended. */
export const readUnsettledCorrections = (
  db: Db,
  sentBefore: Date,
  examplesMax: number,
): Promise<WaitingActions> =>
  read(
    db,
    { state: { in: ['executing', 'unknown'] }, provider: { not: null }, executedAt: { lte: sentBefore } },
    examplesMax,
  )

async function read(db: Db, where: Prisma.ActionWhereInput, examplesMax: number): Promise<WaitingActions> {
  const [count, rows] = await Promise.all([
    db.prisma.action.count({ where }),
    db.prisma.action.findMany({
      where,
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      take: ACTIONS_READ_MAX,
    }),
  ])
  const money = rows.flatMap(({ amountMinor, currency }) =>
    amountMinor === null || currency === null ? [] : [{ minor: amountMinor, currency }],
  )
  const [oldest] = rows
  return {
    count,
    oldestAt: (oldest?.executedAt ?? oldest?.createdAt)?.toISOString() ?? null,
    money: sumByCurrency(money).map(moneyToJson),
    examples: rows
      .slice(0, examplesMax)
      .map((row) => ({ id: row.id, label: actionText(actionView(row)), caseId: row.caseId })),
  }
}
