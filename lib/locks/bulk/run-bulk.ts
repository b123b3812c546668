import { z } from 'zod'
import type { Context, SystemContext } from '@/lib/context'
import { ROLES } from '@/lib/core/permissions'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { type KeySettings, keySettings } from '../settings'
import { operateOne } from '../verbs/operate-each'
import { operateItem, readSnapshot } from './execute-snapshot'

const userSchema = {
  kind: z.literal('user'),
  userId: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
}
const paramsSchema = z.object({
  snapshotId: z.string(),
  reason: z.string(),
  actor: z.discriminatedUnion('via', [
    z.object({ ...userSchema, via: z.literal('session') }),
    z.object({ ...userSchema, via: z.literal('token'), tokenId: z.string() }),
  ]),
})
const tally = z.number().int().min(0).default(0)
const countsSchema = z.object({ done: tally, refused: tally, unknown: tally, failed: tally })
const checkpointSchema = z.object({ next: tally, counts: countsSchema.prefault({}) })

const FAILURES_LISTED_MAX = 100

/**
 * Carries a snapshot out, item by item, as the person who asked for it and with what they may do at that moment: a
 * revoked token, a lost role, or writes that were switched off, stop the rest. A killed job goes on where it stopped: an
 * item that was done already answers with its action. Cancelling stops the rest.
 */
export async function runBulk(
  ctx: SystemContext,
  handle: RunHandle,
  settings: KeySettings = keySettings(),
): Promise<RunResult> {
  const params = paramsSchema.parse(handle.params)
  const snapshot = await readSnapshot(ctx, params.snapshotId)
  const { next, counts } = checkpointSchema.parse(handle.checkpoint)
  // Each item is done with what they may do at that moment (operateKey asks).
  const context: Context = { ...ctx, actor: params.actor, requestId: handle.id }
  const failures: { lockId: string; state: string; reason: string }[] = []

  for (const [index, item] of snapshot.items.entries()) {
    if (index < next) continue
    const { actionId, state, reason, text } = await operateOne(item.lockId, () =>
      operateItem(context, snapshot, item, params.reason, settings, handle.id),
    )
    counts[countedAs(state)] += 1
    if (state !== 'done' && failures.length < FAILURES_LISTED_MAX) {
      failures.push({
        lockId: item.lockId,
        state: countedAs(state),
        reason: (actionId === null ? text : reason) ?? '',
      })
    }
    await handle.report({
      progress: (index + 1) / snapshot.items.length,
      counts: { ...counts, total: snapshot.items.length, failures },
      checkpoint: { next: index + 1, counts },
    })
  }
  const total = snapshot.items.length
  return { outcome: counts.done === total ? 'done' : 'partial', counts: { ...counts, total, failures } }
}

/** One that is still being executed has an end that nobody knows yet. */
function countedAs(state: string): keyof z.infer<typeof countsSchema> {
  if (state === 'done' || state === 'refused' || state === 'unknown') return state
  return state === 'executing' ? 'unknown' : 'failed'
}
