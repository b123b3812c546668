import type { SystemContext } from '@/lib/context'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { reconcile } from '@/lib/reconcile/run'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

/** Compares the sides; before that, corrections whose end nobody knows are settled by reading. */
export async function run(ctx: SystemContext, handle: RunHandle, params: unknown): Promise<RunResult> {
  await settleCorrections(ctx)
  return reconcile(ctx, handle, params)
}
