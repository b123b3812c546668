import { createHash } from 'node:crypto'

/**
 * What a resource is now. A text or a number makes a strong tag of it; `content` is hashed to one; `tag` is one, weak where it
 * says so. `modifiedAt` answers If-Modified-Since and If-Unmodified-Since. Null = there is no such resource.
 */
export type Version =
  | string
  | number
  | bigint
  | ({ modifiedAt?: Date } & ({ tag: string; weak?: boolean } | { content: string | Uint8Array }))
  | null

export type Tag = { opaque: string; weak: boolean }

/** The ETag header of a version, e.g. for the answer of a PUT that made it. */
export function formatEtag(version: NonNullable<Version>): string {
  const { opaque, weak } = tagOf(version)
  return `${weak ? 'W/' : ''}"${opaque}"`
}

export function tagOf(version: NonNullable<Version>): Tag {
  if (typeof version !== 'object') return { opaque: escapeTag(String(version)), weak: false }
  if ('tag' in version) return { opaque: escapeTag(version.tag), weak: version.weak ?? false }
  return { opaque: createHash('sha256').update(version.content).digest('base64url'), weak: false }
}

/** RFC 9110, 8.8.3: a tag has no quotes, no space, no control characters. */
const escapeTag = (text: string): string =>
  text.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (odd) => `%${Buffer.from(odd).toString('hex')}`)

const TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/y

/** An If-Match or If-None-Match header; null = malformed. */
export function parseTags(header: string): Tag[] | '*' | null {
  if (header.trim() === '*') return '*'
  const tags: Tag[] = []
  let at = 0
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at
    if (pattern.test(header)) at = pattern.lastIndex
  }
  for (;;) {
    // Lists may have empty members (RFC 9110, 5.6.1.2).
    skip(/[\t ,]*/y)
    if (at === header.length) return tags.length === 0 ? null : tags
    TAG.lastIndex = at
    const found = TAG.exec(header)
    if (found === null) return null
    at = TAG.lastIndex
    tags.push({ opaque: found[2] ?? '', weak: found[1] !== undefined })
    skip(/[\t ]*/y)
    if (at < header.length && header[at] !== ',') return null
  }
}

/** RFC 9110, 8.8.3.2. */
export const matchesStrongly = (a: Tag, b: Tag): boolean => !a.weak && !b.weak && a.opaque === b.opaque
export const matchesWeakly = (a: Tag, b: Tag): boolean => a.opaque === b.opaque
