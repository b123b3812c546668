import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { RunKind, RunState } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import type { Run } from '@/prisma/generated/client'

const LOG_LINES_SHOWN_MAX = 200

/** A run as the API and the console show it. */
export type RunView = ReturnType<typeof runView>

export function runView(row: Run) {
  return {
    id: row.id,
    kind: row.kind as RunKind,
    state: row.state as RunState,
    outcome: row.outcome,
    dryRun: row.dryRun,
    params: row.params,
    progress: row.progress,
    counts: row.counts,
    error: row.error,
    requestedBy: row.requestedBy,
    cancelRequested: row.cancelRequestedAt !== null,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}

/** Throws `not_found`. */
export async function getRun(db: Db, id: string): Promise<RunView> {
  const row = await db.prisma.run.findUnique({ where: { id } })
  if (row === null) throw new AppError('not_found', `There is no run ${id}.`)
  return runView(row)
}

/** The last lines, oldest first. */
export async function readRunLog(db: Db, id: string) {
  const rows = await db.prisma.runLog.findMany({
    where: { runId: id },
    orderBy: { id: 'desc' },
    take: LOG_LINES_SHOWN_MAX,
  })
  return rows
    .reverse()
    .map((row) => ({ at: row.at.toISOString(), level: row.level, message: row.message, data: row.data }))
}

export type RunFilter = {
  kind?: readonly RunKind[] | undefined
  state?: readonly RunState[] | undefined
  /** Only what people started: periodic jobs would drown it. */
  byPeople?: boolean | undefined
  /** Created within; `to` is not included. */
  within?: { from: Date; to: Date } | undefined
}

const cursorShape = z.tuple([z.iso.datetime(), z.string()])

/** Newest first. */
export async function listRuns(db: Db, filter: RunFilter, page: PageInput): Promise<Page<RunView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const rows = await db.prisma.run.findMany({
    where: {
      ...(filter.kind === undefined ? {} : { kind: { in: [...filter.kind] } }),
      ...(filter.state === undefined ? {} : { state: { in: [...filter.state] } }),
      ...(filter.within === undefined
        ? {}
        : { AND: { createdAt: { gte: filter.within.from, lt: filter.within.to } } }),
      ...(filter.byPeople ? { NOT: { requestedBy: { startsWith: 'system:' } } } : {}),
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
  return toPage(rows.map(runView), page.limit, (row) => [row.createdAt, row.id])
}
