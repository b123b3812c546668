import { z } from 'zod'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { BULK_MAX } from '@/lib/core/bulk'
import { AppError, type ErrorCode } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { CaseView } from '../cases/case-view'
import { acknowledgeCase } from './acknowledge'
import { assignCase } from './assign'
import { snoozeCase } from './snooze'
import { undoTriage } from './undo-triage'

const changeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('acknowledge') }),
  z.strictObject({ kind: z.literal('assign'), ownerId: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('snooze'),
    until: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  }),
  /** Takes back one's own last of these. */
  z.strictObject({ kind: z.literal('undo') }),
])

export const triageCasesSchema = z.strictObject({
  ids: z
    .array(z.string().startsWith('case_'))
    .min(1)
    .max(BULK_MAX)
    .refine((ids) => new Set(ids).size === ids.length, 'each case once'),
  change: changeSchema,
  reason: reasonSchema.optional(),
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
  const { ids, change, reason } = triageCasesSchema.parse(raw)
  const triaged: TriagedCase[] = []
  for (const id of ids) {
    try {
      triaged.push({ id, outcome: 'done', case: await apply(ctx, id, change, reason) })
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'invalid') throw error
      triaged.push({ id, outcome: 'refused', code: error.code, text: error.message })
    }
  }
  return triaged
}

function apply(
  ctx: Context,
  caseId: string,
  change: z.output<typeof changeSchema>,
  reason: string | undefined,
): Promise<CaseView> {
  switch (change.kind) {
    case 'acknowledge':
      return acknowledgeCase(ctx, caseId, reason)
    case 'assign':
      return assignCase(ctx, { caseId, ownerId: change.ownerId, reason })
    case 'snooze':
      return snoozeCase(ctx, { caseId, until: change.until, reason })
    case 'undo':
      return undoTriage(ctx, caseId)
    default:
      return change satisfies never
  }
}
