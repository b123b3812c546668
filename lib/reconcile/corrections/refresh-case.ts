import { createAction } from '@/lib/actions/create'
import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import type { ReconciliationCase } from '@/prisma/generated/client'
import type { ReconcileSettings } from '../settings'
import { noteOnCase } from './case-note'
import { closeWhenCorrected } from './close-corrected'
import { gather } from './execute/gather'

/**
 * Reads every object of the case again by its id, and closes the case when all sides agree now. Changes nothing
 * outside; what is behind for good stays a case. Throws `unavailable` when a source does not answer.
 */
export async function refreshCase(
  ctx: Context,
  row: ReconciliationCase,
  reason: string,
  settings: ReconcileSettings,
): Promise<ActionView> {
  const { finding } = await gather(ctx, row, settings)
  const result = { found: finding?.class ?? null }
  const done = await ctx.db.prisma.$transaction(async (tx) => {
    const action = await createAction(tx, ctx, {
      kind: 'refresh',
      state: 'executing',
      reason,
      caseId: row.id,
      scope: row.scope ?? undefined,
      key: row.key ?? undefined,
      seen: { caseVersion: row.version },
    })
    const moved = await transition(tx, {
      id: action.id,
      from: ['executing'],
      to: 'done',
      patch: { finishedAt: ctx.clock.now(), result },
    })
    await noteOnCase(tx, ctx, row.id, 'refreshed', { actionId: action.id, ...result })
    await append(tx, ctx, {
      verb: 'correction.refresh',
      subject: action.id,
      outcome: 'done',
      reason,
      after: { caseId: row.id, ...result },
    })
    return moved === 'lost' ? action : moved
  })
  if (finding === null) await closeWhenCorrected(ctx, row.id, done.id, settings)
  return actionView(done)
}
