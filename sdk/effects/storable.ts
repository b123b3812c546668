import type { Json } from './json'

/** What PostgreSQL's text and jsonb cannot hold: a NUL, and half a surrogate pair. */
const ODD_TEXT = /\0|\p{Surrogate}/gu
/** The same in JSON's text. JSON.stringify escapes a surrogate only where its other half is missing. */
const ODD_ESCAPE = /\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g

export const toStorableText = (text: string): string => text.replace(ODD_TEXT, '\ufffd')

/**
 * The value as every store can keep it. What JSON has no form for is left out and named in `leftOut`; odd characters
 * become U+FFFD. Never throws: the effect that it tells of has happened.
 */
export function toStorableJson(value: unknown): { json: Json; leftOut: string[] } {
  const leftOut: string[] = []
  const above: unknown[] = []
  function keep(this: unknown, name: string, part: unknown): unknown {
    while (above.length > 0 && above.at(-1) !== this) above.pop()
    const odd =
      typeof part === 'bigint' ||
      typeof part === 'function' ||
      typeof part === 'symbol' ||
      (typeof part === 'number' && !Number.isFinite(part)) ||
      above.includes(part)
    if (odd) {
      leftOut.push(name === '' ? 'all of it' : name)
      return undefined
    }
    if (typeof part === 'object' && part !== null) above.push(part)
    return part
  }
  try {
    const text = JSON.stringify(value, keep) ?? 'null'
    const plain = text.replace(ODD_ESCAPE, (found, code: string) => (code.length > 1 ? '\ufffd' : found))
    if (plain !== text) leftOut.push('characters that are no text')
    return { json: JSON.parse(plain), leftOut }
  } catch {
    // A getter that throws, or thousands of levels.
    return { json: null, leftOut: ['all of it'] }
  }
}
