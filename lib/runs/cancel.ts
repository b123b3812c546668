import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { notify } from '@/lib/live-events'
import { getRun, type RunView } from './read'

/** Asks a run to end. One that waits ends at once; one that works stops at its next safe point. Idempotent. */
export async function cancelRun(ctx: Context, id: string): Promise<RunView> {
  authorise(ctx, 'run.cancel')
  const now = ctx.clock.now()
  await ctx.db.prisma.$transaction(async (tx) => {
    const ended = await tx.run.updateMany({
      where: { id, state: 'queued' },
      data: { state: 'cancelled', outcome: 'cancelled', cancelRequestedAt: now, finishedAt: now },
    })
    const asked =
      ended.count > 0
        ? ended
        : await tx.run.updateMany({
            where: { id, state: 'running', cancelRequestedAt: null },
            data: { cancelRequestedAt: now },
          })
    if (asked.count === 0) {
      const run = await tx.run.findUnique({ where: { id } })
      if (run === null) throw new AppError('not_found', `There is no run ${id}.`)
      if (run.state === 'running' || run.state === 'cancelled') return
      throw new AppError('conflict', `${id} has ended already: ${run.state}.`, { meta: { state: run.state } })
    }
    const outcome = ended.count > 0 ? 'done' : 'requested'
    await tx.auditEntry.create({ data: auditRow(ctx, { verb: 'run.cancel', subject: id, outcome }) })
    await notify(tx, { kind: 'run', id })
  })
  return getRun(ctx.db, id)
}
