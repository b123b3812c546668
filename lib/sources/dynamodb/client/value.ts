import type { AttributeValue } from '@aws-sdk/client-dynamodb'

export type Item = Record<string, AttributeValue>

/** An attribute as JSON text: numbers as the store prints them, binary in base64. */
export function jsonText(value: AttributeValue): string {
  if (value.S !== undefined) return JSON.stringify(value.S)
  if (value.N !== undefined) return value.N
  if (value.BOOL !== undefined) return String(value.BOOL)
  if (value.L !== undefined) return `[${value.L.map(jsonText).join(',')}]`
  if (value.M !== undefined) {
    const members = Object.entries(value.M).map(([name, each]) => `${JSON.stringify(name)}:${jsonText(each)}`)
    return `{${members.join(',')}}`
  }
  if (value.SS !== undefined) return JSON.stringify(value.SS)
  if (value.NS !== undefined) return `[${value.NS.join(',')}]`
  if (value.B !== undefined) return JSON.stringify(Buffer.from(value.B).toString('base64'))
  if (value.BS !== undefined)
    return JSON.stringify(value.BS.map((each) => Buffer.from(each).toString('base64')))
  return 'null'
}

/** A JSON value as an attribute. */
export function toAttribute(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'number') return { N: String(value) }
  if (typeof value === 'boolean') return { BOOL: value }
  if (Array.isArray(value)) return { L: value.map(toAttribute) }
  if (value === null || typeof value !== 'object') return { NULL: true }
  return { M: Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toAttribute(each)])) }
}

/** A text or a number as text; null = it is neither. */
export const scalarText = (value: AttributeValue | undefined): string | null => value?.S ?? value?.N ?? null
