import type { SystemContext } from '@/lib/context'
import type { RunKind } from '@/lib/core/states'
import { queueName } from '@/lib/queue'

/** A sweep's worth; the next sweep takes the rest. */
const REQUEUE_MAX = 100
/** A job that was just sent may not be visible yet. */
const SETTLE_MS = 2_000

/**
 * The run's row is the truth and a job only a nudge: runs that wait without a job, and running ones whose lease has
 * passed, are enqueued again. Twice does no harm, since claiming is exclusive. Returns how many.
 */
const FIND_LOST = (jobTable: string) => `
  SELECT r.id, r.kind FROM run r
  WHERE ((r.state = 'queued' AND r.created_at < $1) OR (r.state = 'running' AND r.lease_until < clock_timestamp()))
    AND NOT EXISTS (
      SELECT FROM ${jobTable} j
      WHERE j.name = 'run.' || r.kind AND j.state IN ('created', 'retry') AND j.data->>'runId' = r.id
    )
  ORDER BY r.created_at LIMIT ${REQUEUE_MAX}`

export async function requeueLost(ctx: SystemContext): Promise<number> {
  const settledBefore = new Date(ctx.clock.now().getTime() - SETTLE_MS)
  const { rows } = await ctx.db.pool.query<{ id: string; kind: RunKind }>(FIND_LOST('pgboss.job'), [
    settledBefore,
  ])
  for (const run of rows) {
    ctx.log.warn({ runId: run.id, queue: queueName(run.kind) }, 'run had no job: enqueued again')
    await ctx.db.prisma.$transaction((tx) => ctx.queue.enqueueRun(tx, run.kind, { runId: run.id }))
  }
  return rows.length
}
