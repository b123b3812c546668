import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { ActionState, ALL_ACTION_KINDS } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { type ActionView, actionView } from './view'

export type ActionFilter = {
  state?: readonly ActionState[] | undefined
  kind?: readonly (typeof ALL_ACTION_KINDS)[number][] | undefined
  caseId?: string | undefined
  runId?: string | undefined
  source?: string | undefined
  scope?: string | undefined
  key?: string | undefined
  /** Created within; `to` is not included. */
  within?: { from: Date; to: Date } | undefined
}

/** Throws `not_found`. */
export async function getAction(db: Db, id: string): Promise<ActionView> {
  const row = await db.prisma.action.findUnique({ where: { id } })
  if (row === null) throw new AppError('not_found', `There is no action ${id}.`)
  return actionView(row)
}

const cursorShape = z.tuple([z.iso.datetime(), z.string()])

/** Newest first. */
export async function listActions(db: Db, filter: ActionFilter, page: PageInput): Promise<Page<ActionView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const rows = await db.prisma.action.findMany({
    where: {
      ...(filter.state === undefined ? {} : { state: { in: [...filter.state] } }),
      ...(filter.kind === undefined ? {} : { kind: { in: [...filter.kind] } }),
      ...(filter.caseId === undefined ? {} : { caseId: filter.caseId }),
      ...(filter.runId === undefined ? {} : { runId: filter.runId }),
      ...(filter.source === undefined ? {} : { sourceId: filter.source }),
      ...(filter.scope === undefined ? {} : { scope: filter.scope }),
      ...(filter.key === undefined ? {} : { key: filter.key }),
      ...(filter.within === undefined
        ? {}
        : { AND: { createdAt: { gte: filter.within.from, lt: filter.within.to } } }),
      ...(after === undefined
        ? {}
        : {
            OR: [
              { createdAt: { lt: new Date(after[0]) } },
              { createdAt: new Date(after[0]), id: { gt: after[1] } },
            ],
          }),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    take: page.limit + 1,
  })
  return toPage(rows.map(actionView), page.limit, (row) => [row.createdAt, row.id])
}
