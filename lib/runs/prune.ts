import type { SystemContext } from '@/lib/context'

/** What people start is kept with the audit's memory; periodic runs only as long as they explain something. */
const KEEP_PEOPLES_MS = 90 * 86_400_000
const KEEP_PERIODIC_MS = 86_400_000
const KEEP_FAILED_MS = 14 * 86_400_000
const BATCH_ROWS = 2_000

const PRUNE = `
  DELETE FROM run WHERE id IN (
    SELECT id FROM run
    WHERE state IN ('done', 'failed', 'cancelled')
      AND finished_at < CASE WHEN requested_by NOT LIKE 'system:%' THEN $1::timestamptz
                             WHEN state = 'failed' THEN $2::timestamptz ELSE $3::timestamptz END
    LIMIT ${BATCH_ROWS}
  )`

/** Deletes one batch of ended runs past their time, with their logs. Returns how many. */
export async function pruneRuns(ctx: SystemContext): Promise<number> {
  const before = (ageMs: number) => new Date(ctx.clock.now().getTime() - ageMs)
  const values = [before(KEEP_PEOPLES_MS), before(KEEP_FAILED_MS), before(KEEP_PERIODIC_MS)]
  const { rowCount } = await ctx.db.pool.query(PRUNE, values)
  return rowCount ?? 0
}
