import { pruneHistory } from '@/lib/alerts/prune-history'
import type { SystemContext } from '@/lib/context'
import { maintainPartitions } from '@/lib/retention/maintain-partitions'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  const counts = await maintainPartitions(ctx)
  return { outcome: 'done', counts: { ...counts, alertsPruned: await pruneHistory(ctx.db, ctx.clock.now()) } }
}
