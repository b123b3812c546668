import type { RunKind } from '@/lib/core/states'
import type { Db } from '@/lib/db'

/** Runs that wait for a worker since before a moment, the oldest first. */
export async function readWaitingRuns(db: Db, before: Date, examplesMax: number) {
  const where = { state: 'queued', createdAt: { lte: before } }
  const [count, rows] = await Promise.all([
    db.prisma.run.count({ where }),
    db.prisma.run.findMany({
      where,
      select: { id: true, kind: true, createdAt: true },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      take: examplesMax,
    }),
  ])
  return { count, oldestAt: rows[0]?.createdAt.toISOString() ?? null, examples: rows }
}

/** The last run of a kind that ended, and how; a dry run says nothing of what is. */
export async function readLastEnded(db: Db, kind: RunKind) {
  return db.prisma.run.findFirst({
    where: { kind, dryRun: false, state: { in: ['done', 'failed'] } },
    select: { id: true, state: true, outcome: true, error: true, finishedAt: true },
    orderBy: { createdAt: 'desc' },
  })
}
