import { redactText, redactUrls } from '@/lib/core/redact'
import { visibleText } from '@/lib/core/visible-text'

/** What Markdown or HTML reads as more than text, and what GitHub makes a link or a mention of. */
const SPECIAL = /[\\`*_[\]{}<>|~&!#@$]|:(?=\/\/)|(?<=\bwww)\./gi
/** At the beginning of a line or an item: a list, a heading's underline. */
const LEADING = /^([-+=]|\d+(?=[.)]))/

/** Text of a person, a service or a provider as one line of Markdown that says nothing but the text. */
export function escaped(text: string): string {
  const line = visibleText(redactUrls(redactText(text.replaceAll(/\s+/g, ' ').trim())))
  return line
    .replaceAll(SPECIAL, '\\$&')
    .replace(LEADING, (start) => (/\d/.test(start) ? `${start}\\` : `\\${start}`))
}

/** Several lines of it, as a block quote. */
export const quoted = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => `> ${escaped(line)}`)
    .join('\n')
