import { assertPersonMay } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { evidenceHashOf } from '@/lib/actions/evidence-hash'
import { putInForce } from '@/lib/actions/put-in-force'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { startRunIn } from '@/lib/runs/start'
import type { Action } from '@/prisma/generated/client'
import { type ReadSnapshot, readSnapshot } from './snapshot'

/** What two people agree on: the messages by name and version, and what is done to them. */
const hashOf = ({ verb, items }: Pick<ReadSnapshot, 'verb' | 'items'>): string =>
  evidenceHashOf({ verb, items })

/** Proposes a whole selection: it is worked off when another person has approved it. `taken` = it was used meanwhile. */
export async function proposeSelection(
  ctx: Context,
  snapshot: ReadSnapshot,
  reason: string,
): Promise<ActionView | 'taken'> {
  const { id: snapshotId, verb, items, money, filter } = snapshot
  await assertPersonMay(ctx, `message.${verb}`)
  return ctx.db.prisma.$transaction(async (tx) => {
    const id = newId('act')
    const { count } = await tx.snapshot.updateMany({
      where: { id: snapshotId, usedBy: null },
      data: { usedBy: id },
    })
    if (count === 0) return 'taken'
    const evidenceHash = hashOf(snapshot)
    const action = await createAction(tx, ctx, {
      ...{ id, kind: verb, state: 'proposed', reason, evidenceHash },
      params: { by: 'selection', snapshotId },
      evidence: { count: items.length, money, filter },
    })
    const after = { snapshotId, count: items.length, money, evidenceHash }
    await append(tx, ctx, { verb: `message.${verb}`, subject: id, outcome: 'proposed', reason, after })
    return actionView(action)
  })
}

/** Another person agrees: a run works the selection off as them, each message by itself. */
export async function approveSelection(
  ctx: Context,
  { id, snapshotId, evidenceHash, reason, proposerId }: Action & { snapshotId: string },
  approverId: string,
): Promise<ActionView> {
  const snapshot = await readSnapshot(ctx, snapshotId)
  if (snapshot.usedBy !== id || hashOf(snapshot) !== evidenceHash)
    throw new AppError('conflict', 'The selection is not what was proposed: propose it again.')
  const { verb, items } = snapshot
  return ctx.db.prisma.$transaction(async (tx) => {
    const agreed = { actionId: id, proposerId, approverId }
    const run = await startRunIn(tx, ctx, {
      kind: 'bulk',
      params: { snapshotId, verb, reason, actor: ctx.actor, agreed },
    })
    const result = { runId: run.id, count: items.length }
    const row = await putInForce(tx, id, { approverId, at: ctx.clock.now(), result })
    await append(tx, ctx, { verb: `message.${verb}`, subject: id, outcome: 'approved', after: result })
    return actionView(row)
  })
}
