import { deliverDue } from '@/lib/alerts/notify/deliver'
import type { SystemContext } from '@/lib/context'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  return { outcome: 'sent', counts: await deliverDue(ctx) }
}
