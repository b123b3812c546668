import type { TermsRule } from '@/lib/conditions/terms'
import { CONDITIONS, type ConditionKind, type Limit, limitText } from '@/lib/core/condition-kinds'
import { durationText } from '@/lib/core/format-figure'

/** “A P1 case is open for: 15 min”, each limit of a kind. */
export function limitTexts(kind: ConditionKind, values: Record<string, number>): string[] {
  const limits: Record<string, Limit> = CONDITIONS[kind].limits
  return Object.entries(limits).flatMap(([name, limit]) =>
    values[name] === undefined ? [] : [`${limit.says}: ${limitText(limit, values[name])}`],
  )
}

/** “payments”, “web, POST /v1/payments”; of a rule about everything “everywhere”. */
export const placeText = ({ system, service, endpoint }: TermsRule['when']): string =>
  [system, service, endpoint].filter((part) => part !== undefined).join(', ') || 'everywhere'

const TOLD = { page: 'page', ticket: 'ticket', off: 'nobody is told, and it is not evaluated' } as const

/** What a rule changes, and where. */
export function ruleText({ kind, when, severity, forMs, limits }: TermsRule): string {
  const parts = [
    ...(severity === undefined ? [] : [TOLD[severity]]),
    ...(forMs === undefined ? [] : [`fires when it has held for ${durationText(forMs)}`]),
    ...limitTexts(kind, limits),
  ]
  return `${placeText(when)}: ${parts.join('; ')}`
}
