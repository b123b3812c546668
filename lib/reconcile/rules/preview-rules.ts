import type { Context, SystemContext } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { type MoneyJson, moneyToJson, sumByCurrency } from '@/lib/core/money'
import { openSystem } from '@/lib/sources/registry'
import type { ReconciliationCase } from '@/prisma/generated/client'
import { breakId } from '../cases/break-id'
import { type CaseView, caseView } from '../cases/case-view'
import { classifyOperation } from '../classify/classify-operation'
import { lookUpKey } from '../classify/finding'
import type { Operation } from '../classify/operation'
import { contextOf, sharedCoverage } from '../classify/read/classify-all'
import { readOperations } from '../classify/read/read-operations'
import type { ReconcileSettings } from '../settings'
import type { Rule } from './rules'

/** Open cases beyond these are not looked at; it is said. */
const CASES_MAX = 400
const SAMPLES_MAX = 5

export type RulesPreview = {
  /** Open cases that were classified again, and whether there are more. */
  looked: number
  more: boolean
  /** What of them a complete run would close. */
  excused: number
  money: MoneyJson[]
  samples: Pick<CaseView, 'id' | 'title' | 'subject' | 'amount'>[]
}

type Lists = { before: readonly Rule[]; after: readonly Rule[] }

/**
 * Which open cases would be none under other rules: each is classified by both lists, as it is staged. What was confirmed
 * by id when it was opened counts as confirmed. Reads only.
 */
export async function previewRules(
  ctx: Context,
  lists: Lists,
  settings: ReconcileSettings,
): Promise<RulesPreview> {
  authorise(ctx, 'view')
  const rows = await ctx.db.prisma.reconciliationCase.findMany({
    where: { lifecycle: { not: 'resolved' } },
    orderBy: [{ firstSeen: 'desc' }, { id: 'asc' }],
    take: CASES_MAX + 1,
  })
  const looked = rows.slice(0, CASES_MAX)
  const excused: ReconciliationCase[] = []
  for (const system of new Set(looked.map((row) => row.system))) {
    const own = looked.filter((row) => row.system === system)
    excused.push(...(await excusedIn(ctx, system, own, lists, settings)))
  }
  const views = excused.map(caseView)
  const money = views.flatMap(({ amount }) =>
    amount === null ? [] : [{ minor: BigInt(amount.minor), currency: amount.currency }],
  )
  return {
    looked: looked.length,
    more: rows.length > CASES_MAX,
    excused: excused.length,
    money: sumByCurrency(money).map(moneyToJson),
    samples: views
      .slice(0, SAMPLES_MAX)
      .map(({ id, title, subject, amount }) => ({ id, title, subject, amount })),
  }
}

async function excusedIn(
  ctx: SystemContext,
  system: string,
  rows: readonly ReconciliationCase[],
  { before, after }: Lists,
  settings: ReconcileSettings,
): Promise<ReconciliationCase[]> {
  const sources = await openSystem(ctx, system)
  const state = (list: readonly unknown[]) => (list.length > 0 ? ('complete' as const) : ('none' as const))
  const stage = {
    asOf: ctx.clock.now(),
    sides: {
      intent: state(sources.intents),
      ledger: state(sources.ledgers),
      provider: state(sources.providers),
    },
  }
  const coverage = await sharedCoverage(ctx, sources)
  const classify = (operation: Operation, rules: readonly Rule[]): Set<string> => {
    const context = (asked: ReadonlySet<string>) =>
      contextOf({ stage }, coverage, { ...settings, rules }, asked, sources)
    const { lookUps } = classifyOperation(operation, context(new Set()))
    const { findings } = classifyOperation(operation, context(new Set(lookUps.map(lookUpKey))))
    return new Set(findings.map(({ aspect, objectId }) => breakId(system, operation.id, aspect, objectId)))
  }
  const ids = [...new Set(rows.map((row) => row.operationId))]
  const operations = await readOperations(ctx.db, system, ids)
  const found = new Set(operations.flatMap((operation) => [...classify(operation, before)]))
  const left = new Set(operations.flatMap((operation) => [...classify(operation, after)]))
  return rows.filter((row) => found.has(row.breakId) && !left.has(row.breakId))
}
