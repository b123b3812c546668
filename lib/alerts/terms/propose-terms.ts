import { z } from 'zod'
import { proposeAgreed } from '@/lib/actions/agreed-list'
import type { ActionView } from '@/lib/actions/view'
import { TERMS, termsSchema } from '@/lib/conditions/terms'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { reasonSchema } from '@/lib/core/reason'
import { previewTerms } from './preview-terms'

/** The whole list, on the version that was looked at. */
export const termsParamsSchema = z.strictObject({ rules: termsSchema, version: z.int().min(0) })

const inputSchema = termsParamsSchema.extend({ reason: reasonSchema })

/** Proposes other terms, with how often they would have fired in the last 7 days. Throws `conflict` when they have changed. */
export async function proposeTerms(ctx: Context, raw: z.input<typeof inputSchema>): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const input = inputSchema.parse(raw)
  return proposeAgreed(ctx, TERMS, input, async (before) => ({
    changes: await previewTerms(ctx, { before, after: input.rules }),
  }))
}
