import type { SystemContext } from '@/lib/context'
import type { RunHandle } from './handle'
import { type ClaimedRow, openHandle } from './open-handle'

/**
 * One holder: a queued run, or one whose lease has passed on the database's clock. Each claim raises the fence, so that
 * whoever held it before writes nothing more. A run that was cancelled while it waited ends here.
 */
const CLAIM = `
  UPDATE run
  SET state = CASE WHEN cancel_requested_at IS NULL THEN 'running' ELSE 'cancelled' END,
      outcome = CASE WHEN cancel_requested_at IS NULL THEN outcome ELSE 'cancelled' END,
      finished_at = CASE WHEN cancel_requested_at IS NULL THEN NULL ELSE $4::timestamptz END,
      fence = fence + 1,
      owner = $2,
      lease_until = clock_timestamp() + $3 * interval '1 millisecond',
      started_at = coalesce(started_at, $4)
  WHERE id = $1
    AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))
  RETURNING id, kind, fence::text, dry_run, params, checkpoint, state`

/** Null when it is not to be had: held by another, ended, cancelled, or unknown. */
export async function claimRun(
  ctx: SystemContext,
  runId: string,
  owner: string,
  leaseMs: number,
): Promise<RunHandle | null> {
  const { rows } = await ctx.db.pool.query<ClaimedRow & { state: string }>(CLAIM, [
    runId,
    owner,
    leaseMs,
    ctx.clock.now(),
  ])
  const [row] = rows
  return row === undefined || row.state !== 'running' ? null : openHandle(ctx, row, leaseMs)
}
