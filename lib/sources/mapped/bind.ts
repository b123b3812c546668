/** Takes a value and returns how a statement refers to it. */
export type Bind = (value: unknown, type: string) => string

/** The values of one statement: `$1::text` and so on, in the order in which they are asked for. */
export function createBinder(): { bind: Bind; values: unknown[] } {
  const values: unknown[] = []
  return {
    values,
    bind(value, type) {
      values.push(value)
      return `$${values.length}::${type}`
    },
  }
}

/** For SQL that a person runs: the value itself, quoted. Never for what we run. */
export const literal: Bind = (value, type) =>
  Array.isArray(value)
    ? `ARRAY[${value.map((each) => quoteLiteral(String(each))).join(', ')}]::${type}`
    : `${quoteLiteral(String(value))}::${type}`

/** As `quote_literal` has it. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** As `quote_ident` has it, always with quotes. For SQL that a person runs. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
