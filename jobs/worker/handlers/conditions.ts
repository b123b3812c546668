import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { planNotifications } from '@/lib/alerts/notify/plan'
import type { SystemContext } from '@/lib/context'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

/** Evaluates whatever is silenced; who is told is decided after it. */
export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  const evaluated = await evaluateConditions(ctx)
  return { outcome: 'evaluated', counts: { ...evaluated, ...(await planNotifications(ctx)) } }
}
