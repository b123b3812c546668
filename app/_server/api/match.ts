import type { Route } from './route'

export type Match =
  | { kind: 'route'; route: Route; params: Record<string, string> }
  | { kind: 'method'; allow: string[] }
  | { kind: 'none' }

/** Finds the route of a method and the path's segments. */
export function matchRoute(routes: readonly Route[], method: string, segments: readonly string[]): Match {
  const allow = new Set<string>()
  for (const route of routes) {
    const params = paramsOf(route.path.split('/'), segments)
    if (params === null) continue
    if (route.method === method) return { kind: 'route', route, params }
    allow.add(route.method)
  }
  return allow.size === 0 ? { kind: 'none' } : { kind: 'method', allow: [...allow] }
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith('{')) params[part.slice(1, -1)] = segment
    else if (part !== segment) return null
  }
  return params
}
