import type { ConditionKind, Severity } from '@/lib/core/condition-kinds'
import type { RouteView } from './list'

/** What of an alert a route looks at. */
type Routable = { kind: ConditionKind; severity: Severity; system: string }

export const routeMatches = (route: RouteView, alert: Routable): boolean =>
  (route.severity === null || route.severity === alert.severity) &&
  (route.kinds.length === 0 || route.kinds.includes(alert.kind)) &&
  (route.systems.length === 0 || route.systems.includes(alert.system))

/**
 * The route by which a receiver is told of an alert: the first of its routes that matches. `''` = it has none and is told
 * of everything; null = none of them matches.
 */
export function routeFor(routes: readonly RouteView[], receiverId: string, alert: Routable): string | null {
  const own = routes.filter((route) => route.receiverId === receiverId)
  if (own.length === 0) return ''
  return own.find((route) => routeMatches(route, alert))?.id ?? null
}
