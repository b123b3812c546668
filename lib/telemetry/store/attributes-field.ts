import type { Attributes, AttributeValue } from '../decode/span'
import { RAW_KEY_ALIASES } from '../interpret/request'
import { escapeText, json } from './copy-text'

const SECRET_HEADER =
  /^http\.(request|response)\.header\.(authorization|proxy-authorization|cookie|set-cookie|x-api-key)$/i

/** Needs no escape, neither as JSON nor for COPY: no control characters, quotes, backslashes or surrogates. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

type Name = {
  /** as it stands in the field, with its colon */
  text: string
  /** what is stored instead of the value */
  hidden: string | null
}
const names = new Map<string, Name>()
/** Senders may make names up: then they are read anew. */
const NAMES_MAX = 4_096

/**
 * Attributes as a JSON object, escaped for COPY; half the time of JSON.stringify. Raw keys and credentials that an
 * instrumentation captured are not stored; `idempotency.key` is the sender's opt-in.
 */
export function attributesField(attributes: Attributes): string {
  let field = '{'
  for (const name in attributes) {
    const { text, hidden } = names.get(name) ?? learn(name)
    if (field !== '{') field += ','
    field += text + (hidden ?? valueField(attributes[name] ?? null))
  }
  return `${field}}`
}

function valueField(value: AttributeValue): string {
  if (typeof value === 'string' && PLAIN.test(value)) return `"${value}"`
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return escapeText(json(value))
}

function learn(name: string): Name {
  if (names.size >= NAMES_MAX) names.clear()
  const known: Name = { text: `${escapeText(JSON.stringify(name))}:`, hidden: null }
  if (RAW_KEY_ALIASES.some((alias) => alias === name)) known.hidden = '"[hashed]"'
  else if (SECRET_HEADER.test(name)) known.hidden = '"[redacted]"'
  names.set(name, known)
  return known
}
