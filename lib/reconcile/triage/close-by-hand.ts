import type { Context } from '@/lib/context'
import { reasonSchema } from '@/lib/core/reason'
import { CLOSED_BY_HAND, lockCasesIn } from '../cases/case-lock'
import type { CaseView } from '../cases/case-view'
import { changeCase } from './change-case'

/** Closes with a reason; the evidence is kept as it is. Other evidence later reopens it. */
export async function closeCaseByHand(
  ctx: Context,
  input: { caseId: string; reason: string },
): Promise<CaseView> {
  const now = ctx.clock.now()
  return changeCase(ctx, {
    caseId: input.caseId,
    verb: 'close',
    reason: reasonSchema.parse(input.reason),
    patch: { lifecycle: 'resolved', resolution: CLOSED_BY_HAND, resolvedAt: now },
    async before(tx) {
      const row = await tx.reconciliationCase.findUnique({
        where: { id: input.caseId },
        select: { system: true },
      })
      if (row !== null) await lockCasesIn(tx, row.system)
    },
  })
}
