import { matchesStrongly, matchesWeakly, parseTags, type Tag, tagOf, type Version } from './etag'
import { parseHttpDate } from './http-date'

/**
 * `none`: the request has no condition that can be evaluated here. `once`: a condition that holds now holds no more when the write
 * is done, so that sent again it is refused; `If-Match: *` would hold again.
 */
export type Evaluated =
  | { kind: 'none' | 'failed' | 'not_modified' }
  | { kind: 'passed'; once: boolean }
  | { kind: 'malformed'; header: string }

/** RFC 9110, 13.2.2, in its order. Ranges are the handler's. */
export function evaluatePreconditions(
  { method, headers }: Pick<Request, 'method' | 'headers'>,
  version: Version,
  nowMs: number,
): Evaluated {
  const isRead = method === 'GET' || method === 'HEAD'
  const tag = version === null ? null : tagOf(version)
  const modifiedMs = modifiedMsOf(version)
  const ifMatch = headers.get('if-match')
  const ifNoneMatch = headers.get('if-none-match')
  let evaluated: { kind: 'none' } | { kind: 'passed'; once: boolean } = { kind: 'none' }
  const passed = (once: boolean) => ({
    kind: 'passed' as const,
    once: once || (evaluated.kind === 'passed' && evaluated.once),
  })

  if (ifMatch !== null) {
    const tags = parseTags(ifMatch)
    if (tags === null) return { kind: 'malformed', header: 'If-Match' }
    if (!isAmong(tags, tag, matchesStrongly)) return { kind: 'failed' }
    evaluated = passed(tags !== '*')
  } else {
    const sinceMs = parseHttpDate(headers.get('if-unmodified-since'), nowMs)
    if (sinceMs !== null && (modifiedMs !== null || version === null)) {
      if (modifiedMs === null || modifiedMs > sinceMs) return { kind: 'failed' }
      evaluated = passed(true)
    }
  }
  if (ifNoneMatch !== null) {
    const tags = parseTags(ifNoneMatch)
    // Whoever reads gets the whole; whoever writes meant something that is not known.
    if (tags === null) return isRead ? evaluated : { kind: 'malformed', header: 'If-None-Match' }
    if (isAmong(tags, tag, matchesWeakly)) return { kind: isRead ? 'not_modified' : 'failed' }
    return passed(tags === '*')
  }
  const sinceMs = isRead ? parseHttpDate(headers.get('if-modified-since'), nowMs) : null
  if (sinceMs !== null && modifiedMs !== null)
    return modifiedMs > sinceMs ? passed(false) : { kind: 'not_modified' }
  return evaluated
}

const isAmong = (tags: Tag[] | '*', tag: Tag | null, matches: (a: Tag, b: Tag) => boolean): boolean =>
  tag !== null && (tags === '*' || tags.some((given) => matches(given, tag)))

/** HTTP's dates have whole seconds. */
function modifiedMsOf(version: Version): number | null {
  if (typeof version !== 'object' || version?.modifiedAt === undefined) return null
  return Math.floor(version.modifiedAt.getTime() / 1000) * 1000
}
