import { z } from 'zod'
import { createAction } from '@/lib/actions/create'
import { evidenceHashOf } from '@/lib/actions/evidence-hash'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { RULES_ACTION_KIND } from '@/lib/core/states'
import { type ReconcileSettings, reconcileSettings } from '../settings'
import { previewRules } from './preview-rules'
import { type RuleSet, readRules, rulesSchema } from './rules'

/** The whole list, on the version that was looked at. */
export const rulesParamsSchema = z.strictObject({ rules: rulesSchema, version: z.int().min(0) })

const inputSchema = rulesParamsSchema.extend({ reason: reasonSchema })

/**
 * Proposes another list of rules; it is in force when another person has approved it. The evidence is the list that it
 * replaces; what it would excuse of the open cases is kept beside it. Throws `conflict` when the list has changed.
 */
export async function proposeRules(
  ctx: Context,
  raw: z.input<typeof inputSchema>,
  settings: ReconcileSettings = reconcileSettings(),
): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const { reason, ...after } = inputSchema.parse(raw)
  const before = await readRules(ctx.db)
  if (before.version !== after.version) {
    throw new AppError('conflict', 'The rules have changed: look at them again.', {
      meta: { version: before.version },
    })
  }
  const preview = await previewRules(ctx, { before: before.rules, after: after.rules }, settings)
  return ctx.db.prisma.$transaction(async (tx) => {
    const action = await createAction(tx, ctx, {
      id: newId('act'),
      kind: RULES_ACTION_KIND,
      state: 'proposed',
      reason,
      params: after,
      evidence: { before: before.rules, after: after.rules, version: after.version, preview },
      evidenceHash: rulesHash(before, after),
    })
    await append(tx, ctx, {
      verb: 'reconciliation.rules.propose',
      subject: action.id,
      outcome: 'proposed',
      reason,
      before: { rules: before.rules },
      after: { rules: after.rules },
    })
    return actionView(action)
  })
}

/** What an approval is bound to: both lists. The preview is of its moment, and no part of it. */
export const rulesHash = (before: RuleSet, after: RuleSet): string => evidenceHashOf([before, after])
