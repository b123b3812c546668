import type { SystemContext } from '@/lib/context'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'

/** A run's worth, in minutes: a backlog is worked off by the runs that follow. */
const MINUTES_MAX = 1_440

export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  const { minutes, newest } = await rollUpDirtyMinutes(ctx.db, ctx.clock, { limit: MINUTES_MAX })
  if (minutes > 0) await ctx.db.pool.query(`SELECT pg_notify('idemscope', '{"kind":"telemetry"}')`)
  return { outcome: 'rolled_up', counts: { minutes, newest } }
}
