import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { bulkParamsSchema, runItems } from '@/lib/actions/bulk/run-items'
import type { Context, SystemContext } from '@/lib/context'
import { env } from '@/lib/env'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { operateItem } from './execute-snapshot'
import { letterOf, readSnapshot } from './snapshot'

const paramsSchema = bulkParamsSchema.extend({
  agreed: z
    .object({ actionId: z.string(), proposerId: z.string().nullable(), approverId: z.string().nullable() })
    .optional(),
})

/**
 * Works a selection off as the person who asked for it, or who agreed to it, at most so many messages a second: consumers that have
 * just recovered are not flooded.
 */
export async function runMessages(
  ctx: SystemContext,
  handle: RunHandle,
  perSecond: number = env().IDEMSCOPE_REDRIVE_PER_SECOND,
): Promise<RunResult> {
  const { snapshotId, reason, actor, agreed } = paramsSchema.parse(handle.params)
  const snapshot = await readSnapshot(ctx, snapshotId)
  const context: Context = { ...ctx, actor, requestId: handle.id }
  let nextMs = ctx.clock.now().getTime()
  return runItems(handle, snapshot.items, letterOf, async (item) => {
    const nowMs = ctx.clock.now().getTime()
    if (nextMs > nowMs) await setTimeout(nextMs - nowMs)
    nextMs = Math.max(nextMs, nowMs) + 1_000 / perSecond
    return operateItem(context, snapshot, item, { reason, runId: handle.id, agreed })
  })
}
