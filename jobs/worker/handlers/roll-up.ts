import type { SystemContext } from '@/lib/context'
import { notify } from '@/lib/live-events'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'

/** A run's worth, in minutes: a backlog is worked off by the runs that follow. */
const MINUTES_MAX = 1_440

export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  const { minutes, newest } = await rollUpDirtyMinutes(ctx.db, ctx.clock, { limit: MINUTES_MAX })
  if (minutes > 0) await notify(ctx.db.pool, { kind: 'telemetry' })
  return { outcome: 'rolled_up', counts: { minutes, newest } }
}
