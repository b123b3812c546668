import { type JsonValue, toJsonValue } from './json-value'
import { isCardNumber, isSecretName, REDACTED, redactText } from './redact'

/** A JSON value with secrets and card data in it replaced. */
export function redactJson(value: JsonValue): JsonValue {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'number') return isCardNumber(String(value)) ? REDACTED : value
  if (Array.isArray(value)) return value.map(redactJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isSecretName(name) && inner !== null ? REDACTED : redactJson(inner),
    ]),
  )
}

/** Attributes of a span. Our own names hold no secret, whatever they end in; of all others the name decides. */
export const redactAttributes = (attributes: Record<string, unknown>): Record<string, JsonValue> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      isSecretName(name) && !name.startsWith('idempotency.') ? REDACTED : redactJson(toJsonValue(value)),
    ]),
  )

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g

/**
 * JSON text, indented and redacted. Numbers are written as they stand: parsed, an integer beyond 2^53 would be another
 * one. A text that is no JSON is redacted as text.
 */
export const redactJsonText = (text: string): string => redactJsonStart(text, Number.POSITIVE_INFINITY).text

/**
 * The beginning of a long one, of about `charsMax`. The rest is not walked through: megabytes would hold up whoever asks.
 * It is redacted before it is cut, so that a secret on the edge is none in part.
 */
export function redactJsonStart(text: string, charsMax: number): { text: string; cut: boolean } {
  if (!isJson(text)) {
    const cut = text.length > charsMax
    return { text: cut ? redactText(text.slice(0, charsMax * 2)).slice(0, charsMax) : redactText(text), cut }
  }
  const tokens: string[] = []
  let chars = 0
  for (const [token] of text.matchAll(TOKEN)) {
    chars += token.length
    if (chars > charsMax) return { text: print(tokens), cut: true }
    tokens.push(token)
  }
  return { text: print(tokens), cut: false }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function print(tokens: readonly string[]): string {
  let out = ''
  let depth = 0
  // Below this depth everything belongs to a secret.
  let hiddenFrom: number | null = null
  let name: string | null = null
  const line = () => `\n${'  '.repeat(depth)}`
  for (const [place, token] of tokens.entries()) {
    const opens = token === '{' || token === '['
    const closes = token === '}' || token === ']'
    if (closes) depth -= 1
    if (hiddenFrom !== null) {
      if (closes && depth === hiddenFrom) hiddenFrom = null
      else if (opens) depth += 1
      continue
    }
    if (tokens[place + 1] === ':' && token.startsWith('"')) {
      name = unquote(token)
      out += token
    } else if (token === ':') out += ': '
    else if (token === ',') out += `,${line()}`
    else if (opens) {
      if (name !== null && isSecretName(name)) {
        out += JSON.stringify(REDACTED)
        hiddenFrom = depth
        depth += 1
      } else {
        depth += 1
        const empty = tokens[place + 1] === (token === '{' ? '}' : ']')
        out += empty ? token : token + line()
      }
      name = null
    } else if (closes) {
      const before = tokens[place - 1]
      out += before === '{' || before === '[' ? token : line() + token
    } else {
      out += redactScalar(token, name)
      // In an array the name holds for every element.
      if (tokens[place + 1] === '}' || tokens[place - 1] === ':') name = null
    }
  }
  return out
}

function redactScalar(token: string, name: string | null): string {
  if (token === 'null') return token
  if (name !== null && isSecretName(name)) return JSON.stringify(REDACTED)
  if (!token.startsWith('"')) return isCardNumber(token) ? JSON.stringify(REDACTED) : token
  const text = unquote(token)
  const clean = redactText(text)
  return clean === text ? token : JSON.stringify(clean)
}

const unquote = (token: string): string => String(JSON.parse(token))
