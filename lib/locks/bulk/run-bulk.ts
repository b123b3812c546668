import { z } from 'zod'
import { findTokenActor } from '@/lib/access/tokens'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import type { Context, SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { ROLES } from '@/lib/core/permissions'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { type KeySettings, keySettings } from '../settings'
import { operateItem, readSnapshot } from './execute-snapshot'

const paramsSchema = z.object({
  snapshotId: z.string(),
  reason: z.string(),
  actor: z.object({
    kind: z.literal('user'),
    userId: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    via: z.enum(['session', 'token']),
    tokenId: z.string().optional(),
  }),
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
  const failures: { lockId: string; state: string; reason: string }[] = []

  for (const [index, item] of snapshot.items.entries()) {
    if (index < next) continue
    await assertWritesEnabled(ctx.db)
    const context = await contextOf(ctx, handle.id, params.actor)
    const outcome = await operate(context, snapshot, item, params.reason, settings, handle.id)
    counts[outcome.state] += 1
    if (outcome.state !== 'done' && failures.length < FAILURES_LISTED_MAX) {
      failures.push({ lockId: item.lockId, state: outcome.state, reason: outcome.reason })
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

async function operate(
  ctx: Context,
  ...rest: [Parameters<typeof operateItem>[1], Parameters<typeof operateItem>[2], string, KeySettings, string]
): Promise<{ state: keyof z.infer<typeof countsSchema>; reason: string }> {
  const [snapshot, item, reason, settings, runId] = rest
  try {
    const action = await operateItem(ctx, snapshot, item, reason, settings, runId)
    const why = z.object({ reason: z.string() }).safeParse(action.result)
    switch (action.state) {
      case 'done':
      case 'refused':
      case 'unknown':
        return { state: action.state, reason: why.success ? why.data.reason : '' }
      default:
        return { state: action.state === 'executing' ? 'unknown' : 'failed', reason: action.state }
    }
  } catch (error) {
    // The kill switch and a lost role end the whole run; what is wrong with one item ends only that one.
    if (!(error instanceof AppError) || error.code === 'kill_switch' || error.code === 'forbidden')
      throw error
    return { state: 'failed', reason: error.message }
  }
}

/** Throws `forbidden` when what the actor asked with is worth nothing any more. */
async function contextOf(
  ctx: SystemContext,
  runId: string,
  { userId, name, via, tokenId }: z.infer<typeof paramsSchema>['actor'],
): Promise<Context> {
  if (via === 'token') {
    const actor = tokenId === undefined ? null : await findTokenActor(ctx.db, tokenId, ctx.clock.now())
    if (actor === null)
      throw new AppError('forbidden', `The token of ${name} that asked for this was revoked, or has ended.`)
    return { ...ctx, actor, requestId: runId }
  }
  const user = await ctx.db.prisma.user.findUnique({ where: { id: userId } })
  if (user === null || user.banned) throw new AppError('forbidden', `${name} may not act any more.`)
  const role = z.enum(ROLES).parse(user.role)
  const actor = { kind: 'user', userId: user.id, name: user.name, role, via: 'session' } as const
  return { ...ctx, actor, requestId: runId }
}
