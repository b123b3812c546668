import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { toJsonObject } from '@/lib/core/json-value'
import type { Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { Prisma, ReconciliationCase } from '@/prisma/generated/client'
import { type CaseView, caseView } from '../cases/case-view'

type Patch = Prisma.ReconciliationCaseUncheckedUpdateManyInput

export type CaseChange = {
  caseId: string
  verb: 'acknowledge' | 'assign' | 'snooze' | 'undo' | 'comment' | 'close'
  patch: Patch | ((tx: Tx) => Promise<Patch>)
  /** Only as it was read a moment ago: whoever is second has lost. */
  onlyAsRead?: boolean
  /** Also cases that are resolved. */
  resolvedToo?: boolean
  reason?: string
  data?: Record<string, unknown>
  before?: (tx: Tx) => Promise<void>
}

export const CHANGED_SINCE = 'It was changed since: look at it again.'

const triageOf = (row: ReconciliationCase) => ({
  triage: row.triage,
  ownerId: row.ownerId,
  snoozedUntil: row.snoozedUntil?.toISOString() ?? null,
})

/** One change of a case's triage: conditional update, history and audit in one transaction. */
export async function changeCase(ctx: Context, change: CaseChange): Promise<CaseView> {
  authorise(ctx, 'case.triage')
  return ctx.db.prisma.$transaction(async (tx) => {
    await change.before?.(tx)
    const before = await tx.reconciliationCase.findUnique({ where: { id: change.caseId } })
    if (before === null) throw new AppError('not_found', `There is no case ${change.caseId}.`)
    const patch = typeof change.patch === 'function' ? await change.patch(tx) : change.patch
    const [row] = await tx.reconciliationCase.updateManyAndReturn({
      where: {
        id: change.caseId,
        ...(change.resolvedToo === true ? {} : { lifecycle: { not: 'resolved' } }),
        ...(change.onlyAsRead === true ? { version: before.version } : {}),
      },
      data: { ...patch, version: { increment: 1 } },
    })
    if (row === undefined) {
      const changed = change.onlyAsRead === true && before.lifecycle !== 'resolved'
      throw new AppError('conflict', changed ? CHANGED_SINCE : 'The case is resolved already.')
    }
    await tx.caseEvent.create({
      data: {
        caseId: row.id,
        at: ctx.clock.now(),
        kind: change.verb,
        actor: actorLabel(ctx.actor),
        data: toJsonObject({
          ...change.data,
          // What an undo brings back.
          ...(patch.triage === undefined ? {} : { before: triageOf(before) }),
          ...(change.reason === undefined ? {} : { reason: change.reason }),
        }),
      },
    })
    await append(tx, ctx, {
      verb: `case.${change.verb}`,
      subject: row.id,
      outcome: 'done',
      reason: change.reason,
      before: { triage: before.triage, lifecycle: before.lifecycle, ownerId: before.ownerId },
      after: { triage: row.triage, lifecycle: row.lifecycle, ownerId: row.ownerId, ...change.data },
    })
    await notify(tx, { kind: 'case', id: row.id })
    return caseView(row)
  })
}
