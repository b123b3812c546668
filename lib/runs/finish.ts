import type { SystemContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { RunState } from '@/lib/core/states'
import { notification } from '@/lib/live-events'
import { RunCancelledError, type RunHandle, RunLostError, type RunResult } from './handle'

const FINISH = `
  WITH finished AS (
    UPDATE run
    SET state = $3, outcome = $4, counts = counts || $5::jsonb, error = $6, finished_at = $7,
        progress = CASE WHEN $3 = 'done' THEN 1 ELSE progress END, lease_until = NULL
    WHERE id = $1 AND fence = $2 AND state = 'running'
    RETURNING id
  )
  SELECT pg_notify($8, $9) FROM finished`

/** Ends a run with its result. Throws RunLostError when another process holds it. */
export async function finishRun(ctx: SystemContext, handle: RunHandle, result: RunResult): Promise<void> {
  await end(ctx, handle, 'done', result.outcome, result.counts, null)
}

/** Ends a run that threw: cancelled when it was asked to, lost runs are left to their new holder, else failed. */
export async function failRun(ctx: SystemContext, handle: RunHandle, error: unknown): Promise<void> {
  if (error instanceof RunLostError) return
  if (error instanceof RunCancelledError) return end(ctx, handle, 'cancelled', 'cancelled', {}, null)
  const message = error instanceof Error ? error.message : String(error)
  await end(ctx, handle, 'failed', 'failed', {}, message.slice(0, 2000))
}

async function end(
  ctx: SystemContext,
  handle: RunHandle,
  state: RunState,
  outcome: string,
  counts: Record<string, unknown>,
  error: string | null,
): Promise<void> {
  const { id, fence } = handle
  const { rowCount } = await ctx.db.pool.query(FINISH, [
    id,
    fence,
    state,
    outcome,
    canonicalJson(counts),
    error,
    ctx.clock.now(),
    ...notification({ kind: 'run', id }),
  ])
  if (rowCount === 0) throw new RunLostError(id)
}
