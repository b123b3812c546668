import { bulkParamsSchema, runItems } from '@/lib/actions/bulk/run-items'
import type { Context, SystemContext } from '@/lib/context'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { type KeySettings, keySettings } from '../settings'
import { operateItem, readSnapshot } from './execute-snapshot'

/** Carries a snapshot out as the person who asked for it. Each item is done with what they may do then (operateKey asks). */
export async function runBulk(
  ctx: SystemContext,
  handle: RunHandle,
  settings: KeySettings = keySettings(),
): Promise<RunResult> {
  const { snapshotId, reason, actor } = bulkParamsSchema.parse(handle.params)
  const snapshot = await readSnapshot(ctx, snapshotId)
  const context: Context = { ...ctx, actor, requestId: handle.id }
  return runItems(
    handle,
    snapshot.items,
    ({ lockId }) => lockId,
    (item) => operateItem(context, snapshot, item, reason, settings, handle.id),
  )
}
