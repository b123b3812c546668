import type { SystemContext } from '@/lib/context'
import { readProcesses } from '@/lib/runs/processes'
import { evaluateConditions } from './evaluate/evaluate'
import { deliverDue } from './notify/deliver'
import { planNotifications } from './notify/plan'

/**
 * Where no worker gives a sign of life, whoever calls this evaluates the conditions and tells them: else nobody would hear
 * that there is no worker. Any number of processes may do so at once. Returns whether it had to.
 */
export async function standInForWorker(ctx: SystemContext): Promise<boolean> {
  const processes = await readProcesses(ctx.db, ctx.clock)
  if (processes.some(({ kind, fresh }) => kind === 'worker' && fresh)) return false
  const warn = (error: unknown) => ctx.log.warn({ err: error }, 'standing in for the worker')
  // Each for itself: what cannot be evaluated, or queued for a worker that is not there, keeps nothing from being told.
  await evaluateConditions(ctx).catch(warn)
  await planNotifications(ctx).catch(warn)
  await deliverDue(ctx)
  return true
}
