/** Deeper documents are compared as bytes: bounds the recursion. */
const DEPTH_MAX = 200

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
// Numbers with more digits than a double keeps stay as they are written: two large ids must not become one.
const DIGITS_MAX = 15

/** One text for all spellings of a JSON document (order of keys, spaces, escapes, 1.0 = 1), or null if it is none. */
export function canonicalizeJson(text: string): string | null {
  try {
    JSON.parse(text)
    const exact = text.replace(STRING_OR_NUMBER, (token) =>
      isLongNumber(token) ? `{"\\u0000number":"${token}"}` : token,
    )
    return write(JSON.parse(exact), 0)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null
    throw error
  }
}

const isLongNumber = (token: string): boolean =>
  !token.startsWith('"') && token.replace(/\D/g, '').length > DIGITS_MAX

function write(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new RangeError('too deep')
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${write(item, depth + 1)}`).join(',')}}`
  }
  return JSON.stringify(value)
}
