import type { SystemContext } from '@/lib/context'
import { maintainPartitions } from '@/lib/retention/maintain-partitions'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  return { outcome: 'done', counts: await maintainPartitions(ctx) }
}
