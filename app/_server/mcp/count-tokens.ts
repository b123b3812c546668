/** Names and numbers, line breaks, and every other character that is no space; a space goes with the next piece. */
const PIECES = /[A-Za-z0-9]+|\n+|[^\x20\n]/gu
/** A word as people write one, at most 20 letters. All else of letters and digits is an identifier. */
const WORD = /^[A-Z]?[a-z]{1,19}$|^[A-Z]{1,6}$/
const WORD_TOKENS_PER_CHAR = 1 / 3
const IDENTIFIER_TOKENS_PER_CHAR = 0.75

const encoder = new TextEncoder()

/**
 * An upper bound of the tokens of a text, without a tokenizer: three letters of a word, four characters in three tokens of
 * an identifier, and each punctuation mark and byte beyond ASCII. The tokenizers o200k and cl100k make 0.25 to 0.95 of it.
 */
export function countTokens(text: string): number {
  let tokens = 0
  for (const [piece] of text.matchAll(PIECES)) tokens += tokensOf(piece)
  return tokens
}

function tokensOf(piece: string): number {
  if (piece.startsWith('\n')) return 1
  if (!/^[A-Za-z0-9]/.test(piece)) return encoder.encode(piece).length
  return Math.ceil(piece.length * (WORD.test(piece) ? WORD_TOKENS_PER_CHAR : IDENTIFIER_TOKENS_PER_CHAR))
}

/** The beginning of a text that has at most so many tokens. */
export function clip(text: string, tokensMax: number): string {
  // A token of ours has at most three characters and the space before them.
  let start = text.slice(0, tokensMax * 4)
  while (countTokens(start) > tokensMax) start = start.slice(0, Math.floor(start.length * 0.9))
  return start.length === text.length ? text : `${start.replace(/[\uD800-\uDBFF]$/, '')}…`
}
