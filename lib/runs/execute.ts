import type { SystemContext } from '@/lib/context'
import { claimRun } from './claim'
import { failRun, finishRun } from './finish'
import { RunCancelledError, type RunHandler, RunLostError } from './handle'
import { heartbeat } from './heartbeat'

export type ExecuteOutcome = 'done' | 'failed' | 'cancelled' | 'lost' | 'not_claimed'

/**
 * Claims a run, keeps its lease while the handler works, and ends it. `leaseMs` bounds how long a killed worker's run
 * waits for the next one. Never throws for what the handler threw: it is in the run's row.
 */
export async function executeRun(
  ctx: SystemContext,
  run: { id: string; owner: string; leaseMs: number },
  handler: RunHandler,
): Promise<ExecuteOutcome> {
  const handle = await claimRun(ctx, run.id, run.owner, run.leaseMs)
  if (handle === null) return 'not_claimed'
  const log = ctx.log.child({ runId: handle.id, kind: handle.kind })
  const beat = setInterval(() => {
    heartbeat(ctx, handle, run.leaseMs).catch((error: Error) =>
      log.warn({ err: error }, 'run heartbeat failed'),
    )
  }, run.leaseMs / 3)
  try {
    const result = await handler({ ...ctx, log }, handle, handle.params)
    await finishRun(ctx, handle, result)
    return 'done'
  } catch (error) {
    return await settle(ctx, handle, error)
  } finally {
    clearInterval(beat)
  }
}

async function settle(
  ctx: SystemContext,
  handle: Parameters<typeof failRun>[1],
  error: unknown,
): Promise<ExecuteOutcome> {
  if (error instanceof RunLostError) return 'lost'
  try {
    await failRun(ctx, handle, error)
  } catch (lost) {
    if (lost instanceof RunLostError) return 'lost'
    throw lost
  }
  const cancelled = error instanceof RunCancelledError
  if (!cancelled) ctx.log.error({ err: error, runId: handle.id }, 'run failed')
  return cancelled ? 'cancelled' : 'failed'
}
