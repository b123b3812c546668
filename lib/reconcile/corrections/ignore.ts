import { createAction } from '@/lib/actions/create'
import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { ReconciliationCase } from '@/prisma/generated/client'
import { CLOSED_BY_HAND, lockCasesIn } from '../cases/case-lock'
import { noteOnCase } from './case-note'

/** Nothing is changed anywhere; the case is closed with its reason, its evidence kept. */
export async function ignoreCase(ctx: Context, row: ReconciliationCase, reason: string): Promise<ActionView> {
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    await lockCasesIn(tx, row.system)
    const { count } = await tx.reconciliationCase.updateMany({
      where: { id: row.id, lifecycle: { not: 'resolved' }, evidenceHash: row.evidenceHash },
      data: { lifecycle: 'resolved', resolution: CLOSED_BY_HAND, resolvedAt: now, version: { increment: 1 } },
    })
    if (count === 0) throw new AppError('conflict', 'The case has changed: look at it again.')
    const action = await createAction(tx, ctx, {
      kind: 'ignore',
      state: 'executing',
      reason,
      caseId: row.id,
      scope: row.scope ?? undefined,
      key: row.key ?? undefined,
      seen: { caseVersion: row.version },
      evidenceHash: row.evidenceHash,
    })
    const done = await transition(tx, {
      id: action.id,
      from: ['executing'],
      to: 'done',
      patch: { finishedAt: now },
    })
    await noteOnCase(tx, ctx, row.id, 'resolved', { resolution: CLOSED_BY_HAND, actionId: action.id, reason })
    await append(tx, ctx, {
      verb: 'correction.ignore',
      subject: action.id,
      outcome: 'done',
      reason,
      after: { caseId: row.id, evidenceHash: row.evidenceHash },
    })
    return actionView(done === 'lost' ? action : done)
  })
}
