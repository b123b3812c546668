import { z } from 'zod'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError, type ErrorCode } from '@/lib/core/errors'
import type { CaseView } from '../case-view'
import { acknowledgeCase } from './acknowledge'
import { assignCase } from './assign'
import { snoozeCase } from './snooze'

const CASES_MAX = 200

const changeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('acknowledge') }),
  z.strictObject({ kind: z.literal('assign'), ownerId: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('snooze'),
    until: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  }),
])

export const triageCasesSchema = z.strictObject({
  ids: z
    .array(z.string().startsWith('case_'))
    .min(1)
    .max(CASES_MAX)
    .refine((ids) => new Set(ids).size === ids.length, 'each case once'),
  change: changeSchema,
})

export type TriagedCase =
  | { id: string; outcome: 'done'; case: CaseView }
  | { id: string; outcome: 'refused'; code: ErrorCode; text: string }

/**
 * The same change to several cases, each with its own history and audit entry. What one case refuses (it was resolved
 * meanwhile) is told beside the others' success; a change that is wrong itself is refused as a whole.
 */
export async function triageCases(
  ctx: Context,
  raw: z.input<typeof triageCasesSchema>,
): Promise<TriagedCase[]> {
  authorise(ctx, 'case.triage')
  const { ids, change } = triageCasesSchema.parse(raw)
  const triaged: TriagedCase[] = []
  for (const id of ids) {
    try {
      triaged.push({ id, outcome: 'done', case: await apply(ctx, id, change) })
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'invalid') throw error
      triaged.push({ id, outcome: 'refused', code: error.code, text: error.message })
    }
  }
  return triaged
}

function apply(ctx: Context, caseId: string, change: z.output<typeof changeSchema>): Promise<CaseView> {
  switch (change.kind) {
    case 'acknowledge':
      return acknowledgeCase(ctx, caseId)
    case 'assign':
      return assignCase(ctx, { caseId, ownerId: change.ownerId })
    case 'snooze':
      return snoozeCase(ctx, { caseId, until: change.until })
    default:
      return change satisfies never
  }
}
