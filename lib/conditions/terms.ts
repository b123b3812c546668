import type pg from 'pg'
import { z } from 'zod'
import type { Agreed, AgreedList } from '@/lib/actions/agreed-list'
import {
  CONDITION_KINDS,
  CONDITION_SCOPES,
  CONDITIONS,
  type ConditionKind,
  type ConditionScope,
  type Limit,
  type LimitsOf,
  SEVERITIES,
  type Severity,
} from '@/lib/core/condition-kinds'
import { TERMS_ACTION_KIND } from '@/lib/core/states'

/** Kept as a setting; its version is what two people looked at. */
export const TERMS_SETTING = 'conditions.terms'
const RULES_MAX = 200
const FOR_MAX_MS = 86_400_000

const place = z.string().trim().min(1).max(200).optional()

const ruleSchema = z
  .strictObject({
    kind: z.enum(CONDITION_KINDS),
    when: z.strictObject({ system: place, service: place, endpoint: place }).default({}),
    /** `off` = it is not evaluated there. */
    severity: z.enum([...SEVERITIES, 'off']).optional(),
    /** It fires when it has held for this long. */
    forMs: z.int().min(0).max(FOR_MAX_MS).optional(),
    limits: z.record(z.string(), z.number()).default({}),
  })
  .superRefine(({ kind, when, severity, forMs, limits }, refine) => {
    const { scopes, limits: known }: { scopes: readonly ConditionScope[]; limits: Record<string, Limit> } =
      CONDITIONS[kind]
    const fault = (message: string) => refine.addIssue({ code: 'custom', message: `${kind}: ${message}` })
    for (const scope of CONDITION_SCOPES)
      if (when[scope] !== undefined && !scopes.includes(scope))
        fault(
          scopes.length === 0
            ? 'it is of the whole console, and not of one system, service or endpoint'
            : `it is told apart by ${scopes.join(' and ')}, not by ${scope}`,
        )
    for (const [name, value] of Object.entries(limits)) {
      const limit = known[name]
      if (limit === undefined)
        fault(`there is no limit ${name}; it has ${Object.keys(known).join(', ') || 'none'}`)
      else if (value < limit.min || value > limit.max)
        fault(`${name} is between ${limit.min} and ${limit.max} (${limit.unit})`)
    }
    if (severity === undefined && forMs === undefined && Object.keys(limits).length === 0)
      fault('a rule changes something: severity, forMs or limits')
  })
export type TermsRule = z.infer<typeof ruleSchema>

type OfPlace = Pick<TermsRule, 'kind' | 'when'>

const placeOf = ({ kind, when }: OfPlace): string =>
  JSON.stringify([kind, when.system, when.service, when.endpoint])

/** Two rules of which only one can be in force. */
export const samePlace = (a: OfPlace, b: OfPlace): boolean => placeOf(a) === placeOf(b)

export const termsSchema = z
  .array(ruleSchema)
  .max(RULES_MAX)
  .refine((rules) => new Set(rules.map(placeOf)).size === rules.length, {
    error: 'one rule for each kind and place',
  })

export type TermsSet = Agreed<TermsRule>

/** Who is to know of what, and when it fires: two people agree on it. */
export const TERMS: AgreedList<TermsRule> = {
  setting: TERMS_SETTING,
  kind: TERMS_ACTION_KIND,
  verb: 'condition.terms',
  rules: termsSchema,
}

/** What a condition is about, as far as its terms go. */
export type Place = { [scope in ConditionScope]?: string | undefined }

export type Terms<K extends ConditionKind> = {
  severity: Severity | 'off' | null
  forMs: number
  limits: LimitsOf<K>
}

/** What holds at a place: the defaults, and over them each rule that speaks of it, the most specific last. */
export function termsAt<K extends ConditionKind>(
  rules: readonly TermsRule[],
  kind: K,
  at: Place = {},
): Terms<K> {
  const speaking = rules
    .filter(
      (rule) => rule.kind === kind && CONDITION_SCOPES.every((scope) => fits(rule.when[scope], at[scope])),
    )
    .toSorted((a, b) => specificity(a) - specificity(b))
  const definition: { forMs: number; limits: Record<string, Limit> } = CONDITIONS[kind]
  const limits = Object.fromEntries(
    Object.entries(definition.limits).map(([name, limit]) => [name, limit.default]),
  )
  let terms: Terms<ConditionKind> = { severity: null, forMs: definition.forMs, limits }
  for (const rule of speaking) {
    terms = {
      severity: rule.severity ?? terms.severity,
      forMs: rule.forMs ?? terms.forMs,
      limits: { ...terms.limits, ...rule.limits },
    }
  }
  return terms as Terms<K>
}

const fits = (wanted: string | undefined, is: string | undefined): boolean =>
  wanted === undefined || wanted === is
const specificity = ({ when }: TermsRule): number =>
  Object.values(when).filter((value) => value !== undefined).length

/** The rules in force. Version 0 = nobody has set any. */
export async function readTerms(from: Pick<pg.Pool, 'query'>): Promise<TermsSet> {
  const { rows } = await from.query<{ value: unknown; version: number }>(
    'SELECT value, version FROM setting WHERE key = $1',
    [TERMS_SETTING],
  )
  const [row] = rows
  if (row === undefined) return { rules: [], version: 0 }
  return { ...z.object({ rules: termsSchema }).parse(row.value), version: row.version }
}
