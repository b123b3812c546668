import { z } from 'zod'
import { type ActionView, actionView } from '@/lib/actions/view'
import type { CaseClass, Severity } from '@/lib/core/case-classes'
import { AppError } from '@/lib/core/errors'
import { type JsonValue, toJsonValue } from '@/lib/core/json-value'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { CaseLifecycle, CaseOutcome, CaseTriage } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import type { Prisma } from '@/prisma/generated/client'
import { readOperations } from '../classify/read/read-operations'
import { type CaseView, caseView } from './case-view'

export type CaseFilter = {
  class?: readonly CaseClass[] | undefined
  outcome?: readonly CaseOutcome[] | undefined
  lifecycle?: readonly CaseLifecycle[] | undefined
  triage?: readonly CaseTriage[] | undefined
  severity?: readonly Severity[] | undefined
  /** Opened at or after, and before. */
  seenFrom?: Date | undefined
  seenBefore?: Date | undefined
  system?: string | undefined
  scope?: string | undefined
  key?: string | undefined
  reference?: string | undefined
}

const cursorShape = z.tuple([z.iso.datetime(), z.string()])

const anyOf = (values: readonly string[]) => ({ in: [...values] })

/** A filter as a condition on the table; no filter means all. */
export const caseWhere = (filter: CaseFilter): Prisma.ReconciliationCaseWhereInput => ({
  ...(filter.class === undefined ? {} : { class: anyOf(filter.class) }),
  ...(filter.outcome === undefined ? {} : { outcome: anyOf(filter.outcome) }),
  ...(filter.lifecycle === undefined ? {} : { lifecycle: anyOf(filter.lifecycle) }),
  ...(filter.triage === undefined ? {} : { triage: anyOf(filter.triage) }),
  ...(filter.severity === undefined ? {} : { severity: anyOf(filter.severity) }),
  AND: [
    filter.seenFrom === undefined ? {} : { firstSeen: { gte: filter.seenFrom } },
    filter.seenBefore === undefined ? {} : { firstSeen: { lt: filter.seenBefore } },
  ],
  ...(filter.system === undefined ? {} : { system: filter.system }),
  ...(filter.scope === undefined ? {} : { scope: filter.scope }),
  ...(filter.key === undefined ? {} : { key: filter.key }),
  ...(filter.reference === undefined ? {} : { reference: filter.reference }),
})

/** Newest first; no filter means all, resolved included. */
export async function listCases(db: Db, filter: CaseFilter, page: PageInput): Promise<Page<CaseView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const rows = await db.prisma.reconciliationCase.findMany({
    where: {
      ...caseWhere(filter),
      ...(after === undefined
        ? {}
        : {
            OR: [
              { firstSeen: { lt: new Date(after[0]) } },
              { firstSeen: new Date(after[0]), id: { gt: after[1] } },
            ],
          }),
    },
    orderBy: [{ firstSeen: 'desc' }, { id: 'asc' }],
    take: page.limit + 1,
  })
  return toPage(rows.map(caseView), page.limit, (row) => [row.firstSeen, row.id])
}

export type CaseEventView = { at: string; kind: string; actor: string; data: unknown }
export type CaseDetail = CaseView & {
  /** The operation as it is staged now, whatever the evidence said when it was classified. */
  sides: JsonValue
  events: CaseEventView[]
  actions: ActionView[]
}

const EVENTS_MAX = 200
const ACTIONS_MAX = 50

/** Throws `not_found`. */
export async function getCase(db: Db, id: string): Promise<CaseDetail> {
  const row = await db.prisma.reconciliationCase.findUnique({ where: { id } })
  if (row === null) throw new AppError('not_found', `There is no case ${id}.`)
  const [[operation], events, actions] = await Promise.all([
    readOperations(db, row.system, [row.operationId]),
    db.prisma.caseEvent.findMany({ where: { caseId: id }, orderBy: { id: 'desc' }, take: EVENTS_MAX }),
    db.prisma.action.findMany({ where: { caseId: id }, orderBy: { createdAt: 'desc' }, take: ACTIONS_MAX }),
  ])
  return {
    ...caseView(row),
    sides:
      operation === undefined
        ? null
        : toJsonValue({
            lives: operation.lives,
            charges: operation.charges,
            refunds: operation.refunds,
            postings: operation.postings,
          }),
    events: events.map((event) => ({
      at: event.at.toISOString(),
      kind: event.kind,
      actor: event.actor,
      data: event.data,
    })),
    actions: actions.map(actionView),
  }
}
