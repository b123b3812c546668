import type { TermsRule } from '@/lib/conditions/terms'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import { type TelemetryWindow, toMinutes } from '@/lib/telemetry/window'
import { ago } from './family'

export type Route = { service?: string | undefined; endpoint?: string | undefined }

/** All together, and apart whatever a rule speaks of. */
export function routesOf(rules: readonly TermsRule[], kind: ConditionKind): Route[] {
  const named = rules
    .filter(
      ({ kind: of, when }) => of === kind && (when.service !== undefined || when.endpoint !== undefined),
    )
    .map(({ when: { service, endpoint } }) => ({ service, endpoint }))
  return [{}, ...named]
}

export const subjectOf = ({ service, endpoint }: Route): string =>
  [service, endpoint].filter((part) => part !== undefined).join(' ') || 'all'
export const nameOf = (route: Route) =>
  subjectOf(route) === 'all' ? {} : { ...route, name: subjectOf(route) }

export const windowOf = (route: Route, now: Date, ms: number): TelemetryWindow =>
  toMinutes({ from: ago(now, ms), to: now, ...route })
