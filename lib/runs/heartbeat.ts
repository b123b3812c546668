import type { SystemContext } from '@/lib/context'
import type { RunHandle } from './handle'

const HEARTBEAT = `
  UPDATE run SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  WHERE id = $1 AND fence = $2 AND state = 'running'
  RETURNING cancel_requested_at IS NOT NULL AS cancelled`

/** Keeps the lease. `lost` and `cancelled` mean: stop at the next point where that is safe. */
export async function heartbeat(
  ctx: Pick<SystemContext, 'db'>,
  handle: Pick<RunHandle, 'id' | 'fence'>,
  leaseMs: number,
): Promise<'held' | 'cancelled' | 'lost'> {
  const { rows } = await ctx.db.pool.query<{ cancelled: boolean }>(HEARTBEAT, [
    handle.id,
    handle.fence,
    leaseMs,
  ])
  const [row] = rows
  return row === undefined ? 'lost' : row.cancelled ? 'cancelled' : 'held'
}
