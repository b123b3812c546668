type Pattern = { methods: ReadonlySet<string>; segments: readonly Segment[]; isOpen: boolean }
type Segment = { literal: string } | 'any'

export type Matched<R> = { kind: 'route'; route: R } | { kind: 'method'; allow: string[] } | { kind: 'none' }

/** Finds the first route of the file whose method and path fit; HEAD is served where GET is. */
export function createMatcher<R extends { methods: readonly string[]; path: string }>(
  routes: readonly R[],
): (method: string, path: string) => Matched<R> {
  const patterns = routes.map((route) => ({ route, ...compile(route) }))
  return (method, path) => {
    const segments = path.split('/').slice(1)
    const allow = new Set<string>()
    for (const pattern of patterns) {
      if (!fits(pattern, segments)) continue
      if (pattern.methods.has(method)) return { kind: 'route', route: pattern.route }
      for (const allowed of pattern.methods) allow.add(allowed)
    }
    return allow.size === 0 ? { kind: 'none' } : { kind: 'method', allow: [...allow].sort() }
  }
}

/** Whether all paths of the second pattern are paths of the first. */
export function covers(first: string, second: string): boolean {
  const [a, b] = [first, second].map((path) => compile({ methods: [], path }))
  if (a === undefined || b === undefined || (b.isOpen && !a.isOpen)) return false
  const isLongEnough = a.isOpen
    ? b.segments.length + (b.isOpen ? 1 : 0) > a.segments.length
    : a.segments.length === b.segments.length
  return isLongEnough && a.segments.every((segment, index) => includes(segment, b.segments[index]))
}

const includes = (a: Segment, b: Segment | undefined): boolean =>
  a === 'any' ? b === 'any' || b?.literal !== '' : typeof b === 'object' && b.literal === a.literal

function compile({ methods, path }: { methods: readonly string[]; path: string }): Pattern {
  const parts = path.split('/').slice(1)
  const isOpen = parts.at(-1) === '**'
  return {
    methods: new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods),
    segments: (isOpen ? parts.slice(0, -1) : parts).map((part) =>
      part.startsWith('{') ? 'any' : { literal: part },
    ),
    isOpen,
  }
}

function fits({ segments, isOpen }: Pattern, path: readonly string[]): boolean {
  if (isOpen ? path.length <= segments.length : path.length !== segments.length) return false
  return segments.every((segment, index) =>
    segment === 'any' ? path[index] !== '' : segment.literal === path[index],
  )
}
