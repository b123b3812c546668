import { z } from 'zod'
import { proposeAgreed } from '@/lib/actions/agreed-list'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { reasonSchema } from '@/lib/core/reason'
import { type ReconcileSettings, reconcileSettings } from '../settings'
import { previewRules } from './preview-rules'
import { RULES, rulesSchema } from './rules'

/** The whole list, on the version that was looked at. */
export const rulesParamsSchema = z.strictObject({ rules: rulesSchema, version: z.int().min(0) })

const inputSchema = rulesParamsSchema.extend({ reason: reasonSchema })

/** Proposes another list of rules, with what it would excuse of the open cases. Throws `conflict` when the list has changed. */
export async function proposeRules(
  ctx: Context,
  raw: z.input<typeof inputSchema>,
  settings: ReconcileSettings = reconcileSettings(),
): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const input = inputSchema.parse(raw)
  return proposeAgreed(ctx, RULES, input, (before) =>
    previewRules(ctx, { before, after: input.rules }, settings),
  )
}
