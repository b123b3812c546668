import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { lockCasesIn } from '../cases/case-lock'
import type { ReconcileSettings } from '../settings'
import { noteOnCase } from './case-note'
import { gather } from './execute/gather'

/**
 * Verified before the case closes: every side is read again, and only a case that is not found any more is closed. It
 * stays open otherwise, for the next run to classify; also when a source does not answer now.
 */
export async function closeWhenCorrected(
  ctx: Pick<Context, 'db' | 'clock' | 'log' | 'queue' | 'actor'>,
  caseId: string,
  actionId: string,
  settings: ReconcileSettings,
): Promise<boolean> {
  const row = await ctx.db.prisma.reconciliationCase.findUniqueOrThrow({ where: { id: caseId } })
  const verified = await gather(ctx, row, settings).catch((error: unknown) => {
    if (error instanceof AppError) return null
    throw error
  })
  if (verified === null || verified.finding !== null) return false
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    await lockCasesIn(tx, row.system)
    const { count } = await tx.reconciliationCase.updateMany({
      where: { id: caseId, lifecycle: { not: 'resolved' } },
      data: { lifecycle: 'resolved', resolution: 'corrected', resolvedAt: now, version: { increment: 1 } },
    })
    if (count > 0) await noteOnCase(tx, ctx, caseId, 'resolved', { resolution: 'corrected', actionId })
    return count > 0
  })
}
