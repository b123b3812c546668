import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** An attribute, or one within a map. */
export type Path = string | readonly string[]

/** The names and values of one request: none of them can be taken for a reserved word. */
export type Expression = {
  path(path: Path): string
  value(value: AttributeValue): string
  names: Record<string, string>
  values: Record<string, AttributeValue>
}

export function createExpression(): Expression {
  const names: Record<string, string> = {}
  const known = new Map<string, string>()
  const values: Record<string, AttributeValue> = {}
  let count = 0
  const nameOf = (name: string) => {
    const alias = known.get(name) ?? `#n${known.size}`
    known.set(name, alias)
    names[alias] = name
    return alias
  }
  return {
    names,
    values,
    path: (path) => (typeof path === 'string' ? nameOf(path) : path.map(nameOf).join('.')),
    value(value) {
      const alias = `:v${count++}`
      values[alias] = value
      return alias
    },
  }
}

export type Condition = (expression: Expression) => string

export const is =
  (path: Path, value: AttributeValue): Condition =>
  (e) =>
    `${e.path(path)} = ${e.value(value)}`
export const isNot =
  (path: Path, value: AttributeValue): Condition =>
  (e) =>
    `${e.path(path)} <> ${e.value(value)}`
export const isAbove =
  (path: Path, value: AttributeValue): Condition =>
  (e) =>
    `${e.path(path)} > ${e.value(value)}`
export const isAtMost =
  (path: Path, value: AttributeValue): Condition =>
  (e) =>
    `${e.path(path)} <= ${e.value(value)}`
export const isOneOf =
  (path: Path, values: readonly AttributeValue[]): Condition =>
  (e) =>
    `${e.path(path)} IN (${values.map(e.value).join(', ')})`
export const isAbsent =
  (path: Path): Condition =>
  (e) =>
    `attribute_not_exists(${e.path(path)})`
export const isEmpty =
  (path: Path): Condition =>
  (e) =>
    `size(${e.path(path)}) = ${e.value(num(0))}`
export const all =
  (...conditions: Condition[]): Condition =>
  (e) =>
    conditions.map((condition) => condition(e)).join(' AND ')
export const any =
  (...conditions: Condition[]): Condition =>
  (e) =>
    `(${conditions.map((condition) => `(${condition(e)})`).join(' OR ')})`

export const text = (value: string): AttributeValue => ({ S: value })
export const num = (value: number | bigint): AttributeValue => ({ N: String(value) })
export const bytes = (value: Uint8Array): AttributeValue => ({ B: value })
/** Whole milliseconds. */
export const ms = (value: number): AttributeValue => num(Math.floor(value))
/** Whole microseconds of milliseconds. */
export const microsOf = (valueMs: number): bigint => BigInt(Math.floor(valueMs * 1000))
