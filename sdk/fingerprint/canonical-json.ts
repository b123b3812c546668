/** Deeper documents are compared as bytes: bounds the recursion. */
const DEPTH_MAX = 200
/** So many significant digits come back out of a double as they went in. */
const DIGITS_KEPT = 15
/** What programs write of a double, at most: some of the last digits are lost. */
const DIGITS_MAX = 17
/** Below it they are worth less than 10⁻⁶; above it, cents can be among them. */
const LAST_DIGITS_MATTER_FROM = 1e9
/** Smaller ones have fewer digits. */
const NORMAL_MIN = 2.2250738585072014e-308

class NotIJson extends Error {}

/**
 * The canonical form of RFC 8785 (JCS): one text for all spellings of a JSON document. Null when it is none, or when
 * different readers may read it differently (outside I-JSON, RFC 7493): a name given twice, a lone surrogate, a number
 * that a double does not hold.
 */
export function canonicalizeJson(text: string): string | null {
  try {
    // Afterwards the syntax is known to be right, and the scanner need not look.
    JSON.parse(text)
    if (!text.isWellFormed()) return null
    return createScanner(text).value(0)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof NotIJson) return null
    throw error
  }
}

/** Reads a valid document from its start, and writes it canonically. */
function createScanner(text: string) {
  let at = 0

  /** The next sign that means something; it stays to be read. */
  function peek(): string {
    while (text.charCodeAt(at) <= 0x20) at += 1
    return text.charAt(at)
  }

  function value(depth: number): string {
    if (depth > DEPTH_MAX) throw new NotIJson('too deep')
    const sign = peek()
    if (sign === '{') return object(depth + 1)
    if (sign === '[') return array(depth + 1)
    if (sign === '"') return string()
    const from = at
    while (!isEndOfWord(text.charCodeAt(at))) at += 1
    const word = text.slice(from, at)
    return sign === 't' || sign === 'f' || sign === 'n' ? word : number(word)
  }

  function object(depth: number): string {
    const members = new Map<string, string>()
    at += 1
    while (peek() !== '}') {
      if (text.charAt(at) === ',') at += 1
      peek()
      const name = string()
      if (members.has(name)) throw new NotIJson('a name is given twice')
      peek()
      at += 1
      members.set(name, value(depth))
    }
    at += 1
    return `{${[...members]
      .sort(byName)
      .map(([name, written]) => `${name}:${written}`)
      .join(',')}}`
  }

  function array(depth: number): string {
    const items: string[] = []
    at += 1
    while (peek() !== ']') {
      if (text.charAt(at) === ',') at += 1
      items.push(value(depth))
    }
    at += 1
    return `[${items.join(',')}]`
  }

  /** With its quotes. Only what has an escape can be written in several ways. */
  function string(): string {
    const from = at
    let escaped = false
    for (at += 1; text.charAt(at) !== '"'; at += 1) {
      if (text.charAt(at) !== '\\') continue
      escaped = true
      at += 1
    }
    at += 1
    const written = text.slice(from, at)
    if (!escaped) return written
    const read: string = JSON.parse(written)
    if (!read.isWellFormed()) throw new NotIJson('a lone surrogate')
    return JSON.stringify(read)
  }

  return { value }
}

/** A comma, a closing bracket or brace, a space, or the end of the text. */
const isEndOfWord = (code: number): boolean =>
  Number.isNaN(code) || code <= 0x20 || code === 0x2c || code === 0x5d || code === 0x7d

/** By the UTF-16 code units of the name itself, as RFC 8785 says. */
function byName([a]: [string, string], [b]: [string, string]): number {
  const [one, other]: [string, string] =
    a.includes('\\') || b.includes('\\') ? [JSON.parse(a), JSON.parse(b)] : [a.slice(1, -1), b.slice(1, -1)]
  return one < other ? -1 : 1
}

function number(token: string): string {
  // What most numbers are.
  if (/^(?:0|[1-9]\d{0,14})$/.test(token)) return token
  const read = Number(token)
  if (!isHeldByDouble(token, read)) throw new NotIJson('a number that a double does not hold')
  return JSON.stringify(read)
}

/** Nothing of the token is lost, but for the last digits of a small fraction that has no more of them than a double. */
function isHeldByDouble(token: string, read: number): boolean {
  if (!Number.isFinite(read)) return false
  const digits = significantDigits(token)
  if (digits === significantDigits(String(read))) return true
  const magnitude = Math.abs(read)
  const lost = digits.length > DIGITS_KEPT
  return (
    magnitude >= NORMAL_MIN && (!lost || (digits.length <= DIGITS_MAX && magnitude < LAST_DIGITS_MATTER_FROM))
  )
}

/** Without sign, point, exponent, and the zeros at both ends; '' for zero. */
const significantDigits = (token: string): string =>
  token
    .replace(/e.*$/i, '')
    .replace(/\D/g, '')
    .replace(/^0+|0+$/g, '')
