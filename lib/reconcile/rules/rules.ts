import { z } from 'zod'
import { type Agreed, type AgreedList, readAgreed } from '@/lib/actions/agreed-list'
import { CASE_CLASS_NAMES, type CaseClass } from '@/lib/core/case-classes'
import { RULES_ACTION_KIND } from '@/lib/core/states'
import type { Db, Tx } from '@/lib/db'

const RULES_MAX = 100
const DAY_MS = 86_400_000

const whenSchema = z
  .strictObject({
    class: z.array(z.enum(CASE_CLASS_NAMES)).min(1).optional(),
    currency: z.string().length(3).toUpperCase().optional(),
    /** e.g. `web/POST /v1/payments`, or `*` in place of the caller: `*\/POST /v1/payments`. */
    scope: z.string().min(1).max(300).optional(),
    kind: z.enum(['charge', 'refund']).optional(),
  })
  .refine((when) => Object.values(when).some((value) => value !== undefined), {
    error: 'a rule without criteria would excuse everything',
  })

const ruleSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(100),
    when: whenSchema,
    /** Amounts that differ by at most so many minor units agree. */
    amountMinor: z
      .string()
      .regex(/^\d{1,15}$/)
      .optional(),
    /** Amounts that differ by at most so many percent of what is expected agree; two decimals count. */
    percent: z.number().min(0).max(100).multipleOf(0.01).optional(),
    /** Two charges of one order are suspected only when they are no further apart than this. */
    sameWithinMs: z
      .int()
      .min(0)
      .max(3_650 * DAY_MS)
      .optional(),
    /** What is not there yet becomes a break after this, instead of the default. */
    breakOnMs: z
      .int()
      .min(0)
      .max(365 * DAY_MS)
      .optional(),
  })
  .refine(
    (rule) =>
      [rule.amountMinor, rule.percent, rule.sameWithinMs, rule.breakOnMs].some(
        (value) => value !== undefined,
      ),
    { error: 'a rule tolerates something' },
  )
export type Rule = z.infer<typeof ruleSchema>

export const rulesSchema = z
  .array(ruleSchema)
  .max(RULES_MAX)
  .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, {
    error: 'each name once',
  })

export type RuleSubject = {
  class: CaseClass
  currency: string | null
  scope: string | null
  kind: 'charge' | 'refund' | null
}

/** The first rule, in their order, that speaks of this and tolerates what is asked for. */
export function ruleFor<T extends 'amount' | 'sameWithinMs' | 'breakOnMs'>(
  rules: readonly Rule[],
  tolerance: T,
  subject: RuleSubject,
): Rule | undefined {
  return rules.find(({ when, ...rule }) => {
    const speaks =
      tolerance === 'amount'
        ? rule.amountMinor !== undefined || rule.percent !== undefined
        : rule[tolerance as 'sameWithinMs' | 'breakOnMs'] !== undefined
    return (
      speaks &&
      (when.class === undefined || when.class.includes(subject.class)) &&
      (when.currency === undefined || when.currency === subject.currency) &&
      (when.kind === undefined || when.kind === subject.kind) &&
      (when.scope === undefined || scopeFits(when.scope, subject.scope))
    )
  })
}

const scopeFits = (wanted: string, scope: string | null): boolean =>
  scope !== null &&
  (wanted.startsWith('*/') ? scope.slice(scope.indexOf('/')) === wanted.slice(1) : scope === wanted)

/** Whether two amounts agree under a rule: by minor units or by percent, whichever allows more. */
export function tolerates(rule: Rule | undefined, expectedMinor: bigint, foundMinor: bigint): boolean {
  const apart = expectedMinor > foundMinor ? expectedMinor - foundMinor : foundMinor - expectedMinor
  if (apart === 0n) return true
  if (rule === undefined) return false
  if (rule.amountMinor !== undefined && apart <= BigInt(rule.amountMinor)) return true
  if (rule.percent === undefined) return false
  // In whole hundredths of a percent: money is never compared in floating point.
  const magnitude = expectedMinor < 0n ? -expectedMinor : expectedMinor
  return apart * 10_000n <= magnitude * BigInt(Math.round(rule.percent * 100))
}

export type RuleSet = Agreed<Rule>

export const RULES: AgreedList<Rule> = {
  setting: 'reconciliation.rules',
  kind: RULES_ACTION_KIND,
  verb: 'reconciliation.rules',
  rules: rulesSchema,
}

export const readRules = (dbOrTx: Db | Tx): Promise<RuleSet> => readAgreed(dbOrTx, RULES)
