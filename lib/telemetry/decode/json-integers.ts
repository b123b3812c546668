/** JSON.parse turns an integer beyond 2^53 into the nearest double: it is made a string first, which OTLP allows. */

/** Sixteen digits are the shortest that may be beyond 2^53. Ids are full of digits too, behind a quote. */
const LONG = /[:,[\s]-?\d{16}/
/** A whole number: no part of a fraction or of an exponent. */
const LONG_INTEGER = /(?<![\w.+-])-?\d{16,20}(?![\d.eE])/g

/** The same JSON with its long integers in quotes. What is within strings is left alone; the time is linear. */
export function quoteLongIntegers(json: string): string {
  if (!LONG.test(json)) return json
  let quoted = ''
  let copied = 0
  for (let from = 0; from < json.length; ) {
    const quote = json.indexOf('"', from)
    const to = quote === -1 ? json.length : quote
    if (to - from >= 16) {
      quoted += json.slice(copied, from) + json.slice(from, to).replace(LONG_INTEGER, '"$&"')
      copied = to
    }
    from = quote === -1 ? to : endOfString(json, quote)
  }
  return quoted + json.slice(copied)
}

/** After the quote that closes the string which opens at `start`; the end of the text when none does. */
function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let slashes = 0
    while (json[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
  return json.length
}
