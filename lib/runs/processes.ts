import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'

/** Three missed beats of 5 s. */
const FRESH_MS = 15_000
const FORGET_MS = 86_400_000
const PROCESSES_MAX = 200

export type ProcessBeat = { id: string; kind: string; pid: number; detail?: Record<string, unknown> }

/**
 * Says that a process lives: /readyz and the console read it. Not through Prisma, whose engine takes 46 MB in a
 * process: the receiver needs it for nothing else.
 */
export async function heartbeatProcess(db: Db, beat: ProcessBeat, clock: Clock): Promise<void> {
  await db.pool.query(
    `INSERT INTO process_heartbeat (id, kind, pid, started_at, seen_at, detail) VALUES ($1, $2, $3, $4, $4, $5)
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, detail = excluded.detail`,
    [beat.id, beat.kind, beat.pid, clock.now(), JSON.stringify(beat.detail ?? {})],
  )
}

/** A process that ends cleanly takes its row along. */
export async function forgetProcess(db: Db, id: string): Promise<void> {
  await db.pool.query('DELETE FROM process_heartbeat WHERE id = $1', [id])
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
