import type { JsonObject } from '@/lib/core/json-value'
import { redactText, redactUrls } from '@/lib/core/redact'
import { redactJson } from '@/lib/core/redact-json'
import { clip } from './count-tokens'

/** A name, a key, a reference. Longer ones are cut: their page has them whole. */
const VALUE_TOKENS_MAX = 90
/** A sentence of the console, with names and errors of others in it. */
const SENTENCE_TOKENS_MAX = 160

/** Control characters, and those that nobody sees: they could carry text that only a model reads. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]|\p{Variation_Selector}/gu

const visible = (text: string): string =>
  text.replaceAll(HIDDEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)

const show = (text: string, tokensMax: number): string =>
  clip(visible(redactUrls(redactText(text))), tokensMax)

/** A value that came from a service, a provider or a client: in a code span that it cannot end, on one line. */
export function quote(value: string): string {
  const shown = show(value, VALUE_TOKENS_MAX)
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = longest > 0 ? ' ' : ''
  return `${fence}${pad}${shown}${pad}${fence}`
}

/** A sentence of the console that may hold such values: a block quote of one line. */
export const quoteSentence = (text: string): string => `> ${show(text, SENTENCE_TOKENS_MAX)}`

/** By these one asks on: an id that is cut finds nothing. */
const WHOLE = new Set(['id', 'path'])

/** The same values in JSON, which quotes them itself. What is a secret by its name is none here either. */
export function showJson(value: JsonObject): JsonObject {
  const text = JSON.stringify(redactJson(value), (name, inner) =>
    typeof inner === 'string' ? show(inner, WHOLE.has(name) ? inner.length * 4 : VALUE_TOKENS_MAX) : inner,
  )
  return JSON.parse(text) as JsonObject
}
