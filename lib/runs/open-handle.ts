import type pg from 'pg'
import type { SystemContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import { toJsonObject } from '@/lib/core/json-value'
import type { RunKind } from '@/lib/core/states'
import { notification } from '@/lib/live-events'
import { RunCancelledError, type RunHandle, RunLostError, type RunUpdate } from './handle'

/** A page of log is enough to explain a run; a loop that logs must not fill the table. */
const LOG_LINES_MAX = 1000

const REPORT = `
  WITH updated AS (
    UPDATE run
    SET progress = least(1, greatest(0, coalesce($3, progress))),
        counts = counts || $4::jsonb,
        checkpoint = coalesce($5::jsonb, checkpoint),
        lease_until = greatest(lease_until, clock_timestamp() + $6 * interval '1 millisecond')
    WHERE id = $1 AND fence = $2 AND state = 'running'
    RETURNING cancel_requested_at IS NOT NULL AS cancelled
  )
  SELECT cancelled, pg_notify($7, $8) FROM updated`

export type ClaimedRow = {
  id: string
  kind: string
  fence: string
  dry_run: boolean
  params: unknown
  checkpoint: unknown
}

export function openHandle(ctx: SystemContext, row: ClaimedRow, leaseMs: number): RunHandle {
  const fence = BigInt(row.fence)
  let logLines = 0

  async function report(update: RunUpdate, client?: pg.PoolClient): Promise<void> {
    const checkpoint = update.checkpoint === undefined ? null : canonicalJson(update.checkpoint)
    const { rows } = await (client ?? ctx.db.pool).query<{ cancelled: boolean }>(REPORT, [
      row.id,
      fence,
      update.progress ?? null,
      canonicalJson(update.counts ?? {}),
      checkpoint,
      leaseMs,
      ...notification({ kind: 'run', id: row.id }),
    ])
    const [updated] = rows
    if (updated === undefined) throw new RunLostError(row.id)
    if (updated.cancelled) throw new RunCancelledError(row.id)
    if (update.checkpoint !== undefined) handle.checkpoint = update.checkpoint
  }

  const handle: RunHandle = {
    id: row.id,
    kind: row.kind as RunKind,
    fence,
    dryRun: row.dry_run,
    params: row.params,
    checkpoint: row.checkpoint,
    report,
    async log(level, message, data = {}) {
      ctx.log[level]({ runId: row.id, ...data }, message)
      if (logLines++ >= LOG_LINES_MAX) return
      await ctx.db.prisma.runLog.create({
        data: { runId: row.id, at: ctx.clock.now(), level, message, data: toJsonObject(data) },
      })
    },
  }
  return handle
}
