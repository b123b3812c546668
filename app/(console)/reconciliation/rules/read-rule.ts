import { durationMs } from '@/app/_ui/duration-field'

/** The form's fields as a rule, of what was filled in alone; what is wrong with it the rules' schema says. */
export function readRule(fields: Record<string, string>): Record<string, unknown> {
  const text = (name: string) => fields[name]?.trim() ?? ''
  const given = (name: string) => (text(name) === '' ? undefined : text(name))
  const filled = (facts: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== null))
  return filled({
    name: text('name'),
    when: filled({
      class: given('class') === undefined ? undefined : [text('class')],
      currency: given('currency'),
      kind: given('kind'),
      scope: given('scope'),
    }),
    amountMinor: given('amountMinor'),
    percent: given('percent') === undefined ? undefined : Number(text('percent')),
    breakOnMs: durationMs(fields, 'breakOn'),
    sameWithinMs: durationMs(fields, 'sameWithin'),
  })
}
