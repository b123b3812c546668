const KEY_BYTES_MAX = 255

// RFC 9651 string (RFC 8941's, too): printable ASCII, with \" and \\ escaped; parameters after it are ignored, as the RFC says
// of unknown ones. The draft wants the quotes; many clients leave them out, so a bare token is taken as it stands.
const STRING = String.raw`"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"`
const BARE_ITEM = [
  STRING.replace('((?:', '(?:(?:'),
  String.raw`[A-Za-z*][\w!#$%&'*+.^${'`'}|~:/-]*`,
  String.raw`-?\d+(?:\.\d+)?`,
  ':[A-Za-z0-9+/]*={0,2}:',
  String.raw`\?[01]`,
  String.raw`@-?\d+`,
  String.raw`%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"`,
].join('|')
const QUOTED = new RegExp(`^${STRING}(?: *; *[a-z*][a-z0-9_.*-]*(?:=(?:${BARE_ITEM}))?)*$`)
const BARE = /^[A-Za-z0-9!#$%&'*+.^_`|~:/=@?()<>[\]{}-]+$/

export type ParsedKey =
  | { kind: 'missing' }
  | { kind: 'malformed'; reason: string }
  | { kind: 'key'; key: string }

/** Reads an Idempotency-Key header. */
export function parseIdempotencyKey(header: string | null): ParsedKey {
  const value = header?.trim() ?? ''
  if (value === '') return { kind: 'missing' }
  const quoted = QUOTED.exec(value)?.[1]?.replace(/\\(["\\])/g, '$1')
  const key = quoted ?? (BARE.test(value) ? value : undefined)
  if (key === undefined)
    return { kind: 'malformed', reason: 'it must be one quoted string or one bare token of visible ASCII' }
  if (key === '') return { kind: 'malformed', reason: 'it is empty' }
  if (key.length > KEY_BYTES_MAX)
    return { kind: 'malformed', reason: `it is longer than ${KEY_BYTES_MAX} bytes` }
  return { kind: 'key', key }
}

/** As the draft wants it: a structured-field string. Throws on a key that no server may accept. */
export function formatIdempotencyKey(key: string): string {
  if (!/^[\x20-\x7e]{1,255}$/.test(key))
    throw new RangeError('an idempotency key is 1 to 255 bytes of visible ASCII')
  return `"${key.replace(/["\\]/g, '\\$&')}"`
}
