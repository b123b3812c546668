import type { Clock } from '@/lib/core/clock'
import { toJsonObject } from '@/lib/core/json-value'
import type { Db } from '@/lib/db'

/** Three missed beats of 5 s. */
const FRESH_MS = 15_000
const FORGET_MS = 86_400_000
const PROCESSES_MAX = 200

export type ProcessBeat = { id: string; kind: string; pid: number; detail?: Record<string, unknown> }

/** Says that a process lives: /readyz and the console read it. */
export async function heartbeatProcess(db: Db, beat: ProcessBeat, clock: Clock): Promise<void> {
  const now = clock.now()
  const detail = toJsonObject(beat.detail ?? {})
  await db.prisma.processHeartbeat.upsert({
    where: { id: beat.id },
    create: { id: beat.id, kind: beat.kind, pid: beat.pid, startedAt: now, seenAt: now, detail },
    update: { seenAt: now, detail },
  })
}

/** A process that ends cleanly takes its row along. */
export async function forgetProcess(db: Db, id: string): Promise<void> {
  await db.prisma.processHeartbeat.deleteMany({ where: { id } })
}

export async function readProcesses(db: Db, clock: Clock) {
  const now = clock.now().getTime()
  const rows = await db.prisma.processHeartbeat.findMany({
    where: { seenAt: { gt: new Date(now - FORGET_MS) } },
    orderBy: [{ kind: 'asc' }, { seenAt: 'desc' }],
    take: PROCESSES_MAX,
  })
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    pid: row.pid,
    startedAt: row.startedAt.toISOString(),
    seenAt: row.seenAt.toISOString(),
    fresh: now - row.seenAt.getTime() <= FRESH_MS,
    detail: row.detail,
  }))
}
