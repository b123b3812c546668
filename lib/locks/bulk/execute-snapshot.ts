import { z } from 'zod'
import { type OperateResult, operateEach, toResult } from '@/lib/actions/bulk/operate-each'
import { takeSnapshot } from '@/lib/actions/bulk/take-snapshot'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import type { ActionView } from '@/lib/actions/view'
import { actionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { actorRef } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { KeyAction } from '@/lib/core/states'
import { type RunView, runView } from '@/lib/runs/read'
import { startRunIn } from '@/lib/runs/start'
import { notInBulk } from '../fail/propose'
import { type KeySettings, keySettings } from '../settings'
import { operateKey } from '../verbs/operate-key'
import { INLINE_MAX } from '../verbs/operate-locks'
import { type SnapshotItem, snapshotItemSchema } from './snapshots'

export type ExecutedSnapshot = { kind: 'inline'; items: OperateResult[] } | { kind: 'run'; run: RunView }

/**
 * Carries a snapshot out, once: small ones at once, larger ones as a run. Sent again by the same person it answers with
 * what the first time did.
 */
export async function executeSnapshot(
  ctx: Context,
  snapshotId: string,
  rawReason: string,
  options: { verb?: KeyAction; settings?: KeySettings } = {},
): Promise<ExecutedSnapshot> {
  const snapshot = await readSnapshot(ctx, snapshotId)
  authorise(ctx, `lock.${snapshot.verb}`)
  if (options.verb !== undefined && options.verb !== snapshot.verb) {
    throw new AppError('invalid', `The snapshot was made to ${snapshot.verb}, not to ${options.verb}.`)
  }
  if (snapshot.verb === 'fail') throw notInBulk()
  if (snapshot.createdBy !== actorRef(ctx.actor))
    throw new AppError('forbidden', 'A snapshot is carried out by who made it.')
  const reason = reasonSchema.parse(rawReason)
  if (snapshot.usedBy !== null) return repeated(ctx, snapshotId, snapshot.usedBy)
  if (snapshot.expiresAt <= ctx.clock.now()) {
    throw new AppError('conflict', 'The snapshot is older than 15 minutes: createSnapshot and look again.')
  }
  await assertWritesEnabled(ctx.db)

  const started = await takeSnapshot(ctx, snapshot, INLINE_MAX, async (tx) =>
    runView(
      await startRunIn(tx, ctx, {
        kind: 'bulk',
        params: { snapshotId: snapshot.id, verb: snapshot.verb, reason, actor: ctx.actor },
      }),
    ),
  )
  if (started === 'taken')
    return repeated(ctx, snapshotId, (await readSnapshot(ctx, snapshotId)).usedBy ?? '')
  if (started !== 'inline') return { kind: 'run', run: started }
  const settings = options.settings ?? keySettings()
  const items = await operateEach(
    snapshot.items,
    ({ lockId }) => lockId,
    (item) => operateItem(ctx, snapshot, item, reason, settings),
  )
  return { kind: 'inline', items }
}

/** One item, whether inline or by the bulk job: exactly what a single lock goes through. */
export const operateItem = (
  ctx: Context,
  snapshot: { id: string; verb: KeyAction },
  item: SnapshotItem,
  reason: string,
  settings: KeySettings,
  runId?: string,
): Promise<ActionView> =>
  operateKey(
    ctx,
    snapshot.verb,
    {
      sourceId: item.sourceId,
      scope: item.scope,
      key: item.key,
      seen: item.version,
      reason,
      lockId: item.lockId,
      snapshotId: snapshot.id,
      runId,
    },
    { settings },
  )

export async function readSnapshot(ctx: Pick<Context, 'db'>, id: string) {
  const row = await ctx.db.prisma.snapshot.findUnique({ where: { id } })
  if (row === null) throw new AppError('not_found', `There is no snapshot ${id}.`)
  const verb: KeyAction = z.enum(['release', 'complete', 'fail']).parse(row.verb)
  return { ...row, verb, items: z.array(snapshotItemSchema).parse(row.items) }
}

async function repeated(ctx: Context, snapshotId: string, usedBy: string): Promise<ExecutedSnapshot> {
  if (usedBy.startsWith('run_')) {
    return { kind: 'run', run: runView(await ctx.db.prisma.run.findUniqueOrThrow({ where: { id: usedBy } })) }
  }
  const rows = await ctx.db.prisma.action.findMany({
    where: { params: { path: ['snapshotId'], equals: snapshotId } },
    orderBy: { createdAt: 'asc' },
    take: INLINE_MAX,
  })
  return { kind: 'inline', items: rows.map((row) => toResult(lockIdOf(row.params), actionView(row))) }
}

const lockIdOf = (params: unknown): string => z.object({ lockId: z.string() }).parse(params).lockId
