import type { Context } from '@/lib/context'
import type { CaseView } from '../cases/case-view'
import { changeCase } from './change-case'

/** Somebody has seen it. */
export const acknowledgeCase = (ctx: Context, caseId: string, reason?: string): Promise<CaseView> =>
  changeCase(ctx, {
    caseId,
    verb: 'acknowledge',
    patch: { triage: 'acknowledged', snoozedUntil: null },
    ...(reason === undefined ? {} : { reason }),
  })
