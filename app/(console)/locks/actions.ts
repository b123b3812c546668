'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { actionsShownOn } from '@/app/_server/actions-shown-on'
import { type Attempted, attempt } from '@/app/_server/attempt'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { BULK_MAX } from '@/lib/core/bulk'
import { AppError } from '@/lib/core/errors'
import type { KeyAction } from '@/lib/core/states'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { type LockPreview, previewLocks, type WantedVerb } from '@/lib/locks/bulk/preview-locks'
import { lockFilterSchema } from '@/lib/locks/bulk/snapshots'
import { findLock } from '@/lib/locks/find-lock'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { readUnlisted } from '@/lib/locks/unlisted'
import type { OperateResult } from '@/lib/locks/verbs/operate-each'
import { operateLocks } from '@/lib/locks/verbs/operate-locks'
import { cancelRun } from '@/lib/runs/cancel'

// Each is safe to send twice: an action is known by what was seen, a snapshot is carried out once, a run is ended once.

const verbSchema = z.enum(['release', 'complete'])
const oneSchema = z.object({ verb: verbSchema, id: z.string(), seen: z.string(), reason: z.string() })

/** What became of it, and the lock as it is now. */
export type OperatedLock = { result: OperateResult; fresh: LockView | null }

/** Releases or completes one lock, only as it was seen. */
export async function operateLock(raw: z.input<typeof oneSchema>): Promise<Attempted<OperatedLock>> {
  return attempt(async (ctx) => {
    const { verb, id, seen, reason } = oneSchema.parse(raw)
    const [result] = await operateLocks(ctx, verb, { ids: [id], seen: { [id]: seen }, reason })
    const fresh = await findLock(ctx.db, id, ctx.clock.now())
    revalidatePath('/locks')
    return { result: z.custom<OperateResult>((value) => value !== undefined).parse(result), fresh }
  })
}

const once = actionsShownOn(['/locks'], ['/keys/[id]', 'page'])

/** Proposes that a key is failed, as it was seen; a second person decides. */
export const proposeFailure = async (seen: { id: string; seen: string }, input: ActionInput) =>
  once('lock.fail', input, async (ctx) => {
    const id = z.string().max(64).parse(seen.id)
    const version = z.string().max(128).parse(seen.seen)
    const [result] = await operateLocks(ctx, 'fail', {
      ids: [id],
      seen: { [id]: version },
      reason: input.reason,
    })
    if (result?.state !== 'proposed')
      throw new AppError('conflict', `${result?.text ?? 'It was refused.'} Nothing was changed.`)
  })

/** All that a filter matches now, by name: at most as many as one act may touch, the oldest first. */
export async function selectAllMatching(
  filter: unknown,
): Promise<Attempted<{ ids: string[]; more: boolean }>> {
  return attempt(async (ctx) => {
    const page = { limit: BULK_MAX }
    const { items, next } = await listLocks(ctx.db, lockFilterSchema.parse(filter), page, ctx.clock.now())
    const unlisted = await readUnlisted(ctx.db, lockFilterSchema.parse(filter))
    return { ids: items.map(({ id }) => id), more: next !== null || unlisted.length > 0 }
  })
}

/** Takes a snapshot of a selection for a look before acting. */
export async function previewSelection(wanted: WantedVerb, filter: unknown): Promise<Attempted<LockPreview>> {
  return attempt((ctx) => {
    const verb = z.union([verbSchema, z.literal('as_assessed')]).parse(wanted)
    return previewLocks(ctx, verb, lockFilterSchema.parse(filter))
  })
}

export type CarriedOut = {
  verb: KeyAction
  snapshotId: string
  items: OperateResult[]
  runId: string | null
}

/** Carries snapshots out, each once: small ones at once, larger ones as a run. */
export async function carryOut(
  snapshots: { verb: KeyAction; snapshotId: string }[],
  reason: string,
): Promise<Attempted<CarriedOut[]>> {
  return attempt(async (ctx) => {
    const done: CarriedOut[] = []
    for (const { verb, snapshotId } of snapshots) {
      const executed = await executeSnapshot(ctx, z.string().parse(snapshotId), reason, { verb })
      const inline = executed.kind === 'inline'
      done.push({
        verb,
        snapshotId,
        items: inline ? executed.items : [],
        runId: inline ? null : executed.run.id,
      })
    }
    revalidatePath('/locks')
    return done
  })
}

export type { LockPreview, WantedVerb } from '@/lib/locks/bulk/preview-locks'

/** Ends a bulk job after the item that it works on. */
export async function abortRun(runId: string): Promise<Attempted<null>> {
  return attempt(async (ctx) => {
    await cancelRun(ctx, z.string().parse(runId))
    revalidatePath('/locks')
    return null
  })
}
