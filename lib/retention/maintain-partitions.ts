import type { SystemContext } from '@/lib/context'
import { env } from '@/lib/env'
import { pruneRuns } from '@/lib/runs/prune'
import { dropExpired, ensurePartitions, RETENTION_DAYS } from '@/lib/telemetry/partitions'

const KEEP_GONE_LOCKS_MS = 30 * 86_400_000
const KEEP_SNAPSHOTS_MS = 7 * 86_400_000
const KEEP_HEARTBEATS_MS = 86_400_000

/** Makes the telemetry's partitions ahead, drops what is past its days, and clears the console's own leftovers. */
export async function maintainPartitions(ctx: SystemContext) {
  const made = await ensurePartitions(ctx.db, ctx.clock)
  const days = env().IDEMSCOPE_TELEMETRY_DAYS
  const dropped = await dropExpired(ctx.db, ctx.clock, {
    ...RETENTION_DAYS,
    keyed_request: Math.max(days, RETENTION_DAYS.keyed_request),
  })
  const before = (ageMs: number) => new Date(ctx.clock.now().getTime() - ageMs)
  const { prisma } = ctx.db
  const [locks, snapshots, heartbeats, runs] = await Promise.all([
    prisma.lock.deleteMany({ where: { goneAt: { lt: before(KEEP_GONE_LOCKS_MS) } } }),
    prisma.snapshot.deleteMany({ where: { expiresAt: { lt: before(KEEP_SNAPSHOTS_MS) } } }),
    prisma.processHeartbeat.deleteMany({ where: { seenAt: { lt: before(KEEP_HEARTBEATS_MS) } } }),
    pruneRuns(ctx),
  ])
  return { made, dropped, locks: locks.count, snapshots: snapshots.count, heartbeats: heartbeats.count, runs }
}
