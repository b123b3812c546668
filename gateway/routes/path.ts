const UNRESERVED = /^[A-Za-z0-9._~-]$/

/**
 * The path as routes are matched by: what RFC 3986 says is the same is made the same. Null where it could be read in two
 * ways: the service behind may resolve what this gateway has matched as another path.
 */
export function canonicalPath(path: string): string | null {
  if (!path.startsWith('/') || !/^[\x21-\x7e]*$/.test(path) || path.includes('\\') || path.includes('#'))
    return null
  let broken = false
  const decoded = path.replace(/%(..?)?/g, (found, hex: string | undefined) => {
    if (hex === undefined || !/^[0-9a-f]{2}$/i.test(hex)) {
      broken = true
      return found
    }
    const code = Number.parseInt(hex, 16)
    const character = String.fromCharCode(code)
    if (character === '/' || character === '\\' || code < 0x20 || code === 0x7f) broken = true
    return UNRESERVED.test(character) ? character : found.toUpperCase()
  })
  if (broken) return null
  const segments = decoded.split('/').slice(1)
  const isAmbiguous = segments.some(
    (segment, index) =>
      // The first segment of parameters may hide dots too: `..;x=1`.
      /^\.{1,2}(;|$)/.test(segment) || (segment === '' && index < segments.length - 1),
  )
  return isAmbiguous ? null : decoded
}

/** One spelling for all that many services take for the same: without case, parameters of segments, and a last slash. */
export const asServicesMayRead = (path: string): string =>
  path
    .toLowerCase()
    .replace(/;[^/]*/g, '')
    .replace(/(.)\/$/, '$1')
