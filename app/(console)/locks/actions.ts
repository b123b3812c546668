'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { type Attempted, attempt, attemptChange } from '@/app/_server/attempt'
import type { UserContext } from '@/app/_server/context'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import type { AllMatching } from '@/app/_ui/use-chosen'
import type { OperateResult } from '@/lib/actions/bulk/operate-each'
import { BULK_MAX } from '@/lib/core/bulk'
import { AppError } from '@/lib/core/errors'
import type { KeyAction } from '@/lib/core/states'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { type LockPreview, previewLocks, type WantedVerb } from '@/lib/locks/bulk/preview-locks'
import { lockFilterSchema } from '@/lib/locks/bulk/snapshots'
import { findLock } from '@/lib/locks/find-lock'
import type { LockView } from '@/lib/locks/list-locks'
import { selectMatchingLocks } from '@/lib/locks/select-locks'
import { operateLocks } from '@/lib/locks/verbs/operate-locks'
import { cancelRun } from '@/lib/runs/cancel'

export type { LockPreview, WantedVerb } from '@/lib/locks/bulk/preview-locks'

const verbSchema = z.enum(['release', 'complete'])
const seenSchema = z.object({ id: z.string().max(64), seen: z.string().max(128) })
const oneSchema = seenSchema.extend({ verb: verbSchema, reason: z.string() })
/** A lock as it was seen. */
type Seen = z.infer<typeof seenSchema>

async function operateOne(ctx: UserContext, verb: KeyAction, { id, seen }: Seen, reason: string) {
  const [result] = await operateLocks(ctx, verb, { ids: [id], seen: { [id]: seen }, reason })
  if (result === undefined) throw new AppError('internal', `Nothing came of ${id}.`)
  return result
}

/** Runs a verb; the list of locks is then read again. */
const attemptOnLocks = <T>(verb: (ctx: UserContext) => Promise<T>): Promise<Attempted<T>> =>
  attemptChange(async (ctx) => {
    const value = await verb(ctx)
    revalidatePath('/locks')
    return value
  })

// Each is safe to send twice: an action is known by what was seen, a snapshot is carried out once, a run is ended once.

/** What became of it, and the lock as it is now. */
export type OperatedLock = { result: OperateResult; fresh: LockView | null }

/** Releases or completes one lock, only as it was seen. */
export const operateLock = async (raw: z.input<typeof oneSchema>): Promise<Attempted<OperatedLock>> =>
  attemptOnLocks(async (ctx) => {
    const { verb, reason, ...seen } = oneSchema.parse(raw)
    const result = await operateOne(ctx, verb, seen, reason)
    return { result, fresh: await findLock(ctx.db, seen.id, ctx.clock.now()) }
  })

const { once } = dialogActions(['/locks'], ['/keys/[id]', 'page'])

/** Proposes that a key is failed, as it was seen; a second person decides. */
export const proposeFailure = async (seen: Seen, input: ActionInput) =>
  once('lock.fail', input, async (ctx) => {
    const { state, text } = await operateOne(ctx, 'fail', seenSchema.parse(seen), input.reason)
    if (state !== 'proposed')
      throw new AppError('conflict', `${text ?? 'It was refused.'} Nothing was changed.`)
  })

/** All that a filter matches now, by name: at most as many as one action may touch, the oldest first. */
export const selectAllMatching = async (filter: unknown): Promise<Attempted<AllMatching>> =>
  attempt((ctx) => selectMatchingLocks(ctx.db, lockFilterSchema.parse(filter), BULK_MAX, ctx.clock.now()))

/** Takes a snapshot of a selection for a look before acting. */
export const previewSelection = async (
  wanted: WantedVerb,
  filter: unknown,
): Promise<Attempted<LockPreview>> =>
  attempt((ctx) => {
    const verb = z.union([verbSchema, z.literal('as_assessed')]).parse(wanted)
    return previewLocks(ctx, verb, lockFilterSchema.parse(filter))
  })

/** `items`: null = it goes on as a run. */
export type CarriedOut = { verb: KeyAction; snapshotId: string; items: OperateResult[] | null }

/** Carries snapshots out, each once: small ones at once, larger ones as a run. */
export const carryOut = async (
  snapshots: Pick<CarriedOut, 'verb' | 'snapshotId'>[],
  reason: string,
): Promise<Attempted<CarriedOut[]>> =>
  attemptOnLocks(async (ctx) => {
    const done: CarriedOut[] = []
    for (const { verb, snapshotId } of snapshots) {
      const executed = await executeSnapshot(ctx, z.string().parse(snapshotId), reason, { verb })
      done.push({ verb, snapshotId, items: executed.kind === 'inline' ? executed.items : null })
    }
    return done
  })

/** Ends a bulk job, of locks or of messages, after the item that it works on. */
export const abortRun = async (runId: string) =>
  attempt(async (ctx) => {
    await cancelRun(ctx, z.string().parse(runId))
    revalidatePath('/locks')
    revalidatePath('/messages')
  })
