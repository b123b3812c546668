import { durationMs } from '@/app/_ui/duration-field'
import { CONDITIONS, type ConditionKind, type Limit } from '@/lib/core/condition-kinds'

const limitsOf = (kind: string): Record<string, Limit> =>
  kind in CONDITIONS ? CONDITIONS[kind as ConditionKind].limits : {}

/** The form's fields as a rule, of what was filled in alone; what is wrong with it the schema of the terms says. */
export function readTermsRule(fields: Record<string, string>): Record<string, unknown> {
  const given = (name: string) => {
    const text = fields[name]?.trim() ?? ''
    return text === '' ? undefined : text
  }
  const kind = given('kind') ?? ''
  const limits = Object.entries(limitsOf(kind)).map(([name, { unit }]) => [
    name,
    unit === 'ms' ? (durationMs(fields, name) ?? undefined) : numberOf(given(name), unit),
  ])
  return {
    kind,
    when: filled({ system: given('system'), service: given('service'), endpoint: given('endpoint') }),
    ...filled({ severity: given('severity'), forMs: durationMs(fields, 'for') ?? undefined }),
    limits: filled(Object.fromEntries(limits)),
  }
}

const filled = (facts: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))

/** Shares are entered in percent. */
const numberOf = (text: string | undefined, unit: Limit['unit']): number | undefined =>
  text === undefined ? undefined : unit === 'share' ? Number(text) / 100 : Number(text)
