import type { ConditionKind } from '@/lib/core/condition-kinds'

/** Which alerts are meant; null = any. An alert of no environment is not one of a named environment. */
export type Matchers = {
  kind: ConditionKind | null
  subject: string | null
  /** The subject begins with it, rather than is it. */
  prefix: boolean
  environment: string | null
}

/** What of an alert is matched. */
export type Matchable = { kind: ConditionKind; subject: string; environment: string | null }

export const matches = (silence: Matchers, alert: Matchable): boolean =>
  (silence.kind === null || silence.kind === alert.kind) &&
  (silence.environment === null || silence.environment === alert.environment) &&
  (silence.subject === null ||
    (silence.prefix ? alert.subject.startsWith(silence.subject) : alert.subject === silence.subject))

/** Whether some alert could match both. */
export const overlap = (a: Matchers, b: Matchers): boolean =>
  (a.kind === null || b.kind === null || a.kind === b.kind) &&
  (a.environment === null || b.environment === null || a.environment === b.environment) &&
  subjectsOverlap(a, b)

function subjectsOverlap(a: Matchers, b: Matchers): boolean {
  if (a.subject === null || b.subject === null || a.subject === b.subject) return true
  return (a.prefix && b.subject.startsWith(a.subject)) || (b.prefix && a.subject.startsWith(b.subject))
}

/** An alert's environment, where what it is about has one. */
export const environmentOf = (detail: Record<string, unknown>): string | null =>
  typeof detail.environment === 'string' ? detail.environment : null
