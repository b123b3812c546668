'use server'

import { z } from 'zod'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { readAgreed } from '@/lib/actions/agreed-list'
import { previewTerms, type TermsChange } from '@/lib/alerts/terms/preview-terms'
import { proposeTerms } from '@/lib/alerts/terms/propose-terms'
import { samePlace, TERMS, type TermsRule, termsSchema } from '@/lib/conditions/terms'
import { authorise } from '@/lib/core/authorise'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { AppError } from '@/lib/core/errors'
import { readTermsRule } from './read-terms-rule'

export type { TermsChange } from '@/lib/alerts/terms/preview-terms'

const fieldsSchema = z.record(z.string(), z.string())

/** The list with the form's rule over the one that speaks of the same: what the form leaves empty stays as it is. */
function withRule(rules: readonly TermsRule[], fields: Record<string, string>): TermsRule[] {
  const parsed = termsSchema.safeParse([readTermsRule(fieldsSchema.parse(fields))])
  const rule = parsed.data?.[0]
  if (rule !== undefined) {
    const before = rules.find((other) => samePlace(other, rule))
    const merged = { ...before, ...rule, limits: { ...before?.limits, ...rule.limits } }
    return [...rules.filter((other) => other !== before), merged]
  }
  const said = parsed.error?.issues.map(({ message }) => message) ?? []
  throw new AppError('invalid', `These terms cannot be: ${[...new Set(said)].join('; ')}.`)
}

/** How often it would have fired in the last 7 days, before anything is proposed. */
export async function lookAtTerms(fields: Record<string, string>): Promise<Attempted<TermsChange[]>> {
  return attempt(async (ctx) => {
    authorise(ctx, 'view')
    const { rules } = await readAgreed(ctx.db, TERMS)
    return previewTerms(ctx, { before: rules, after: withRule(rules, fields) })
  })
}

const placeSchema = z.tuple([z.enum(CONDITION_KINDS), z.record(z.string(), z.string())])

const { once } = dialogActions(['/alerts', 'layout'])

const propose = (version: number, input: ActionInput, change: (rules: readonly TermsRule[]) => TermsRule[]) =>
  once('condition.terms.propose', input, async (ctx) => {
    const { rules } = await readAgreed(ctx.db, TERMS)
    return proposeTerms(ctx, {
      rules: change(rules),
      version: z.number().parse(version),
      reason: input.reason,
    })
  })

export const proposeTermsRule = async (version: number, input: ActionInput) =>
  propose(version, input, (rules) => withRule(rules, input.fields))

/** Back to what is usual there: `place` is that of a rule in force. */
export const retireTermsRule = async (version: number, place: string, input: ActionInput) =>
  propose(version, input, (rules) => {
    const [kind, when] = placeSchema.parse(JSON.parse(place))
    const left = rules.filter((rule) => !samePlace(rule, { kind, when }))
    if (left.length === rules.length) throw new AppError('not_found', 'There are no such terms any more.')
    return left
  })
