import { type OperateResult, operateEach, toResult } from '@/lib/actions/bulk/operate-each'
import { takeSnapshot } from '@/lib/actions/bulk/take-snapshot'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { getAction } from '@/lib/actions/read'
import { type ActionView, actionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { actorRef } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { MessageVerb } from '@/lib/core/states'
import { type RunView, runView } from '@/lib/runs/read'
import { startRunIn } from '@/lib/runs/start'
import { type Agreed, operateMessage } from '../verbs/operate-message'
import { proposeSelection } from './propose-selection'
import { letterOf, type ReadSnapshot, readSnapshot, type SnapshotItem } from './snapshot'

/** More go on as a run. */
const INLINE_MAX = 20

export type CarriedOutMessages =
  | { kind: 'inline'; items: OperateResult[] }
  | { kind: 'run'; run: RunView }
  /** A second person has to agree first. */
  | { kind: 'proposed'; action: ActionView }

/** Carries a snapshot out, or proposes it, once. Sent again by the same person it answers with what the first time did. */
export async function executeMessageSnapshot(
  ctx: Context,
  snapshotId: string,
  rawReason: string,
  verb?: MessageVerb,
): Promise<CarriedOutMessages> {
  const snapshot = await readSnapshot(ctx, snapshotId)
  authorise(ctx, `message.${snapshot.verb}`)
  if (verb !== undefined && verb !== snapshot.verb)
    throw new AppError('invalid', `The snapshot was made to ${snapshot.verb}, not to ${verb}.`)
  if (snapshot.createdBy !== actorRef(ctx.actor))
    throw new AppError('forbidden', 'A snapshot is carried out by who made it.')
  const reason = reasonSchema.parse(rawReason)
  if (snapshot.usedBy !== null) return repeated(ctx, snapshotId, snapshot.usedBy)
  if (snapshot.items.length === 0)
    throw new AppError('unprocessable', 'Nothing is in this snapshot: look at why each was left out.')
  if (snapshot.expiresAt <= ctx.clock.now())
    throw new AppError('conflict', 'The snapshot is older than 15 minutes: take another one and look again.')
  await assertWritesEnabled(ctx.db)
  if (snapshot.needsSecondPerson) {
    const action = await proposeSelection(ctx, snapshot, reason)
    return action === 'taken' ? usedNow(ctx, snapshotId) : { kind: 'proposed', action }
  }
  const started = await takeSnapshot(ctx, snapshot, INLINE_MAX, async (tx) => {
    const params = { snapshotId, verb: snapshot.verb, reason, actor: ctx.actor }
    return runView(await startRunIn(tx, ctx, { kind: 'bulk', params }))
  })
  if (started === 'taken') return usedNow(ctx, snapshotId)
  if (started !== 'inline') return { kind: 'run', run: started }
  const items = await operateEach(snapshot.items, letterOf, (item) =>
    operateItem(ctx, snapshot, item, { reason }),
  )
  return { kind: 'inline', items }
}

/** One item, whether inline or by the bulk job: exactly what a single message goes through. */
export const operateItem = (
  ctx: Context,
  { id: snapshotId, verb }: Pick<ReadSnapshot, 'id' | 'verb'>,
  { sourceId, place, version }: SnapshotItem,
  over: { reason: string; runId?: string; agreed?: Agreed | undefined },
): Promise<ActionView> => operateMessage(ctx, verb, { sourceId, place, version, snapshotId, ...over })

const usedNow = async (ctx: Context, snapshotId: string): Promise<CarriedOutMessages> =>
  repeated(ctx, snapshotId, (await readSnapshot(ctx, snapshotId)).usedBy ?? '')

async function repeated(ctx: Context, snapshotId: string, usedBy: string): Promise<CarriedOutMessages> {
  if (usedBy.startsWith('run_')) {
    return { kind: 'run', run: runView(await ctx.db.prisma.run.findUniqueOrThrow({ where: { id: usedBy } })) }
  }
  if (usedBy.startsWith('act_')) return { kind: 'proposed', action: await getAction(ctx.db, usedBy) }
  const { items } = await readSnapshot(ctx, snapshotId)
  const rows = await ctx.db.prisma.action.findMany({
    where: { params: { path: ['snapshotId'], equals: snapshotId } },
    orderBy: { createdAt: 'asc' },
    take: INLINE_MAX,
  })
  const letterAt = ({ sourceId, key }: { sourceId: string | null; key: string | null }) =>
    items.find((item) => item.sourceId === sourceId && item.place === key)?.letter ?? key ?? ''
  return { kind: 'inline', items: rows.map((row) => toResult(letterAt(row), actionView(row))) }
}
