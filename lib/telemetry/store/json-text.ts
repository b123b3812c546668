import type { Attributes, AttributeValue } from '../decode/span'
import { RAW_KEY_ALIASES } from '../interpret/request'

const SECRET_HEADER =
  /^http\.(request|response)\.header\.(authorization|proxy-authorization|cookie|set-cookie|x-api-key)$/i

/** Needs no escape as JSON: no control characters, quotes, backslashes or surrogates. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

type Name = {
  /** as it stands in the text, with its colon */
  text: string
  /** what is stored instead of the value */
  hidden: string | null
}
const names = new Map<string, Name>()
/** Senders may make names up: then they are read anew. */
const NAMES_MAX = 4_096

export function json(value: unknown): string {
  try {
    // A replacer makes it four times as slow, and an int64 beyond 2^53 is rare.
    return JSON.stringify(value)
  } catch {
    return JSON.stringify(value, (_name, each) => (typeof each === 'bigint' ? each.toString() : each))
  }
}

/**
 * Attributes as a JSON object; half the time of JSON.stringify. Raw keys and credentials that an
 * instrumentation captured are not stored; `idempotency.key` is the sender's opt-in.
 */
export function attributesJson(attributes: Attributes): string {
  let text = '{'
  for (const name in attributes) {
    const known = names.get(name) ?? learn(name)
    if (text !== '{') text += ','
    text += known.text + (known.hidden ?? valueJson(attributes[name] ?? null))
  }
  return `${text}}`
}

function valueJson(value: AttributeValue): string {
  if (typeof value === 'string' && PLAIN.test(value)) return `"${value}"`
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return json(value)
}

function learn(name: string): Name {
  if (names.size >= NAMES_MAX) names.clear()
  const known: Name = { text: `${JSON.stringify(name)}:`, hidden: null }
  if (RAW_KEY_ALIASES.some((alias) => alias === name)) known.hidden = '"[hashed]"'
  else if (SECRET_HEADER.test(name)) known.hidden = '"[redacted]"'
  names.set(name, known)
  return known
}
