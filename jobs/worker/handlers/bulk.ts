import type { SystemContext } from '@/lib/context'
import { runBulk } from '@/lib/locks/bulk/run-bulk'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

export const run = (ctx: SystemContext, handle: RunHandle, _params: unknown): Promise<RunResult> =>
  runBulk(ctx, handle)
