import type { Context, SystemContext } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import type { RunKind } from '@/lib/core/states'
import type { Env } from '@/lib/env'
import { startRun } from '@/lib/runs/start'
import type { Trouble } from '@/lib/runs/trouble'

type Periodic = { kind: RunKind; everyMs: number; params?: Record<string, unknown> }

const HOUR_MS = 3_600_000

export const periodicRuns = (env: Env): Periodic[] => [
  { kind: 'roll_up', everyMs: env.IDEMSCOPE_ROLL_UP_EVERY_MS },
  { kind: 'staging', everyMs: env.IDEMSCOPE_STAGE_EVERY_MS },
  { kind: 'lock_check', everyMs: env.IDEMSCOPE_LOCK_CHECK_EVERY_MS },
  { kind: 'message_check', everyMs: env.IDEMSCOPE_LOCK_CHECK_EVERY_MS },
  { kind: 'reconciliation', everyMs: env.IDEMSCOPE_RECONCILE_EVERY_MS },
  { kind: 'effect_detection', everyMs: env.IDEMSCOPE_LOCK_CHECK_EVERY_MS },
  { kind: 'conditions', everyMs: env.IDEMSCOPE_LOCK_CHECK_EVERY_MS },
  { kind: 'collection', everyMs: env.IDEMSCOPE_COLLECT_EVERY_MS },
  { kind: 'sealing', everyMs: env.IDEMSCOPE_ROLL_UP_EVERY_MS },
  { kind: 'partitions', everyMs: HOUR_MS },
]

/**
 * Starts each periodic run at its interval. Every worker may do this: a run of the kind that has not ended is
 * returned instead of a second one. pg-boss's own cron is minutes at best. Returns the stop.
 */
export function startSchedule(ctx: SystemContext, env: Env, trouble: Trouble): () => void {
  const timers = periodicRuns(env).map((periodic) => {
    const tick = () => void startPeriodicRun(ctx, periodic, trouble)
    tick()
    return setInterval(tick, periodic.everyMs)
  })
  return () => timers.forEach(clearInterval)
}

/** Never throws. That there is an open run already tells nothing of whether anything can be stored. */
export async function startPeriodicRun(
  ctx: SystemContext,
  { kind, params = {} }: Pick<Periodic, 'kind' | 'params'>,
  trouble: Trouble,
): Promise<void> {
  const scheduler: Context = { ...ctx, actor: { kind: 'system', job: 'schedule' }, requestId: newId('req') }
  const askedAt = ctx.clock.now()
  try {
    const run = await startRun(scheduler, { kind, params, idempotentOn: 'kind' })
    if (run.createdAt >= askedAt) trouble.over()
  } catch (error) {
    trouble.note(error)
    ctx.log.warn({ kind, err: error }, 'could not start a periodic run')
  }
}
