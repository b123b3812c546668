import { type Place, type TermsRule, termsAt } from '@/lib/conditions/terms'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import type { Measure, MeasureId } from '@/lib/telemetry/measures/measure'

/** Objectives whose target decides what fires: it is one of the terms of that condition, and is changed with them. */
export const CONDITION_OF = {
  M2: 'duplicate_effects',
  M3: 'store_errors',
  M5: 'expired_key_retries',
  M8: 'redeliveries',
} as const satisfies Partial<Record<MeasureId, ConditionKind>>
type AgreedId = keyof typeof CONDITION_OF

export const isAgreed = (id: MeasureId): id is AgreedId => id in CONDITION_OF

/** M5 is written per 10,000. */
const WRITTEN_AS: Partial<Record<MeasureId, number>> = { M5: 10_000 }

/** A share of one, which the terms in force allow of a measure. */
export const agreedShare = (id: AgreedId, rules: readonly TermsRule[], at: Place = {}): number =>
  termsAt(rules, CONDITION_OF[id], at).limits.target

/** The target of a measure as a share of one. */
export const targetShare = ({ id, target }: Pick<Measure, 'id' | 'target'>): number =>
  (target ?? 0) / (WRITTEN_AS[id] ?? 1)

/** Measures against the targets that two people agreed on, where they did. */
export function withTargets(
  measures: readonly Measure[],
  rules: readonly TermsRule[],
  at: Place = {},
): Measure[] {
  return measures.map((measure) => {
    const { id, value } = measure
    if (!isAgreed(id)) return measure
    const target = agreedShare(id, rules, at) * (WRITTEN_AS[id] ?? 1)
    // As where it is decided what fires: the target itself is a breach, and one of none is broken by the first.
    return {
      ...measure,
      target,
      ...(value === null ? {} : { state: value > 0 && value >= target ? 'breach' : 'ok' }),
    }
  })
}
