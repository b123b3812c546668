import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { CaseView } from '../cases/case-view'
import { changeCase } from './change-case'

/** Throws `not_found` for a user who does not exist. */
export const assignCase = (
  ctx: Context,
  input: { caseId: string; ownerId: string; reason?: string | undefined },
): Promise<CaseView> =>
  changeCase(ctx, {
    caseId: input.caseId,
    verb: 'assign',
    patch: { triage: 'assigned', ownerId: input.ownerId, snoozedUntil: null },
    data: { ownerId: input.ownerId },
    ...(input.reason === undefined ? {} : { reason: input.reason }),
    async before(tx) {
      const user = await tx.user.findUnique({ where: { id: input.ownerId }, select: { id: true } })
      if (user === null) throw new AppError('not_found', `There is no user ${input.ownerId}.`)
    },
  })
