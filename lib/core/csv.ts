/** What a spreadsheet would run as a formula. */
const FORMULA = /^[=+\-@\t\r]/

/** One field. A formula is defused by an apostrophe; commas, quotes and line ends are quoted. */
export function csvField(value: string | number | null): string {
  if (value === null) return ''
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** RFC 4180: a header, then a line a row, CRLF. */
export const csvText = (
  header: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string => [header, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('')
