'use server'

import { z } from 'zod'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { AppError } from '@/lib/core/errors'
import { previewRules, type RulesPreview } from '@/lib/reconcile/rules/preview-rules'
import { proposeRules } from '@/lib/reconcile/rules/propose-rules'
import { type Rule, readRules, rulesSchema } from '@/lib/reconcile/rules/rules'
import { reconcileSettings } from '@/lib/reconcile/settings'
import { readRule } from './read-rule'

export type { RulesPreview } from '@/lib/reconcile/rules/preview-rules'

const fieldsSchema = z.record(z.string(), z.string())

/** The list with the form's rule in it: before the others, or behind them. */
const withRule = (rules: readonly Rule[], fields: Record<string, string>): Rule[] => {
  const rule = readRule(fieldsSchema.parse(fields))
  const parsed = rulesSchema.safeParse(fields.place === 'first' ? [rule, ...rules] : [...rules, rule])
  if (parsed.success) return parsed.data
  const said = parsed.error.issues.map(({ path, message }) => {
    const field = path.at(-1)
    return typeof field === 'string' ? `${field}: ${message}` : message
  })
  throw new AppError('invalid', `This rule cannot be: ${[...new Set(said)].join('; ')}.`)
}

/** Which open cases a rule would excuse, before anything is proposed. */
export async function previewRule(fields: Record<string, string>): Promise<Attempted<RulesPreview>> {
  return attempt(async (ctx) => {
    const { rules } = await readRules(ctx.db)
    return previewRules(ctx, { before: rules, after: withRule(rules, fields) }, reconcileSettings())
  })
}

const { once } = dialogActions(['/reconciliation', 'layout'])

const propose = (version: number, input: ActionInput, change: (rules: readonly Rule[]) => Rule[]) =>
  once('reconciliation.rules.propose', input, async (ctx) => {
    const { rules } = await readRules(ctx.db)
    const proposed = { rules: change(rules), version: z.number().parse(version), reason: input.reason }
    return proposeRules(ctx, proposed)
  })

export const proposeRule = async (version: number, input: ActionInput) =>
  propose(version, input, (rules) => withRule(rules, input.fields))

export const retireRule = async (version: number, name: string, input: ActionInput) =>
  propose(version, input, (rules) => {
    const left = rules.filter((rule) => rule.name !== name)
    if (left.length === rules.length) throw new AppError('not_found', `There is no rule “${name}”.`)
    return left
  })
