// Texts of other people's systems may hold characters that nobody sees, or that turn the line round: two references
// look alike then, or a cell is read in its neighbour.

/** Nothing to look for in plain English: most texts are told by this alone. */
const PLAIN = /^[\t\n\r -~]*$/
/** Format, control and filler characters; more than two combining marks on a character, or one on none. */
const HIDDEN =
  /\p{Default_Ignorable_Code_Point}|\p{Cf}|\p{Co}|\p{Zl}|\p{Zp}|(?![\t\n\r])\p{Cc}|(?<=\p{M}{2})\p{M}|^\p{M}/u
/** Scripts that run from right to left: what stands beside them on the line would change its place. */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u

export type TextPart = { text: string; hidden: boolean }

/** Null when the text can stand as it is; else its parts, which stay apart from what is beside them. Pure. */
export function splitHidden(text: string): TextPart[] | null {
  if (PLAIN.test(text) || !(HIDDEN.test(text) || RIGHT_TO_LEFT.test(text))) return null
  return text
    .split(new RegExp(`(${HIDDEN.source})`, 'u'))
    .map((part, place) => ({ text: part, hidden: place % 2 === 1 }))
    .filter((part) => part.text !== '')
}

/** U+202E, as Unicode's charts name it. */
export const codePointName = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** Where only a text can stand: a title, an accessible name, a label of a chart. */
export function visibleText(text: string): string {
  const parts = splitHidden(text)
  if (parts === null) return text
  return parts.map((part) => (part.hidden ? `[${codePointName(part.text)}]` : part.text)).join('')
}
