import { z } from 'zod'
import type { Context } from '@/lib/context'
import { type Actor, actorLabel } from '@/lib/core/actor'
import { AppError } from '@/lib/core/errors'
import { CASE_TRIAGES } from '@/lib/core/states'
import type { CaseView } from '../cases/case-view'
import { CHANGED_SINCE, changeCase } from './change-case'

/** What decides on a case's triage; only the first three can be taken back. */
const DECIDES = ['acknowledge', 'assign', 'snooze', 'undo', 'reopened', 'close', 'resolved']
const UNDOABLE = DECIDES.slice(0, 3)

const beforeSchema = z.object({
  before: z.object({
    triage: z.enum(CASE_TRIAGES),
    ownerId: z.string().nullable(),
    snoozedUntil: z.coerce.date().nullable(),
  }),
})

/** Whether this person's own change is the last one of a case's triage; its events are given newest first. */
export function canUndo(events: readonly { kind: string; actor: string }[], actor: Actor): boolean {
  const last = events.find(({ kind }) => DECIDES.includes(kind))
  return last !== undefined && UNDOABLE.includes(last.kind) && last.actor === actorLabel(actor)
}

/** Takes back one's own last acknowledgement, assignment or snooze, where nothing came after it. */
export const undoTriage = (ctx: Context, caseId: string): Promise<CaseView> =>
  changeCase(ctx, {
    caseId,
    verb: 'undo',
    onlyAsRead: true,
    async patch(tx) {
      const last = await tx.caseEvent.findFirst({
        where: { caseId, kind: { in: DECIDES } },
        orderBy: { id: 'desc' },
      })
      if (last === null || !canUndo([last], ctx.actor))
        throw new AppError('conflict', last === null ? 'There is nothing to undo.' : CHANGED_SINCE)
      return beforeSchema.parse(last.data).before
    },
  })
