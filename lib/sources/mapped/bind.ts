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
