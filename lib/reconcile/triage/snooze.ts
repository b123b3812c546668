import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { CaseView } from '../cases/case-view'
import { changeCase } from './change-case'

const SNOOZE_MAX_MS = 30 * 86_400_000

/** Out of sight until a time, at most 30 days ahead. */
export async function snoozeCase(
  ctx: Context,
  input: { caseId: string; until: Date; reason?: string | undefined },
): Promise<CaseView> {
  const aheadMs = input.until.getTime() - ctx.clock.now().getTime()
  if (!(aheadMs > 0 && aheadMs <= SNOOZE_MAX_MS)) {
    throw new AppError('invalid', 'until must lie ahead, at most 30 days.')
  }
  return changeCase(ctx, {
    caseId: input.caseId,
    verb: 'snooze',
    patch: { triage: 'snoozed', snoozedUntil: input.until },
    data: { until: input.until },
    ...(input.reason === undefined ? {} : { reason: input.reason }),
  })
}
