import type { Attributes, AttributeValue } from '../decode/span'
import type { Micros } from '../micros'

/** A text attribute; numbers and booleans as text; absent, empty or longer than `bytesMax` = null. */
export function text(attributes: Attributes, name: string, bytesMax = 512): string | null {
  const value = attributes[name]
  const read = typeof value === 'string' ? value : isScalar(value) ? String(value) : ''
  return read === '' || Buffer.byteLength(read) > bytesMax ? null : read
}

function isScalar(value: AttributeValue | undefined): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
}

/** A captured header is an array of its values, one text, or such an array as a text of JSON. */
export function header(attributes: Attributes, name: string): string | null {
  const value = attributes[name]
  const first = Array.isArray(value) ? value[0] : value
  if (typeof first !== 'string' || first === '') return null
  return first.startsWith('["') ? firstOfJson(first) : first
}

function firstOfJson(text: string): string {
  try {
    const values: unknown = JSON.parse(text)
    return Array.isArray(values) && typeof values[0] === 'string' ? values[0] : text
  } catch {
    // It only looks like one.
    return text
  }
}

const INT64_MAX = 2n ** 63n - 1n

/** An integer attribute, sent as int64 or as decimal text; null when it is neither, or beyond int64. */
export function integer(attributes: Attributes, name: string): bigint | null {
  const value = attributes[name]
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : null
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) return null
  const read = BigInt(value)
  return read <= INT64_MAX && read >= -INT64_MAX ? read : null
}

/** A count: 0 when absent or not sensible, at most 2^31 − 1. */
export function count(attributes: Attributes, name: string): number {
  const value = integer(attributes, name)
  return value !== null && value >= 0n && value <= 2_147_483_647n ? Number(value) : 0
}

const RFC3339 = /^((?:19[7-9]|2\d\d)\d-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/
const EPOCH_MS_MAX = Date.UTC(2999, 11, 31)

/** Epoch ms of the seconds that were read lately: a service's spans name few of them. */
const seconds = new Map<string, number | null>()
const SECONDS_MAX = 1_024

/** RFC 3339 text to its microsecond, or an integer of epoch milliseconds; null when it is neither. */
export function time(attributes: Attributes, name: string): Micros | null {
  const value = attributes[name]
  if (typeof value === 'number') return value > 0 && value < EPOCH_MS_MAX ? Math.trunc(value) * 1000 : null
  const match = typeof value === 'string' ? RFC3339.exec(value) : null
  if (match === null) return null
  const [, local = '', fraction = '', zone = ''] = match
  const epochMs = secondOf(local + zone)
  return epochMs === null ? null : epochMs * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'))
}

function secondOf(text: string): number | null {
  const known = seconds.get(text)
  if (known !== undefined) return known
  const epochMs = Date.parse(text)
  const second = Number.isNaN(epochMs) || epochMs <= 0 ? null : epochMs
  if (seconds.size >= SECONDS_MAX) seconds.clear()
  seconds.set(text, second)
  return second
}

export function hexId(attributes: Attributes, name: string, bytes: number): string | null {
  const value = attributes[name]
  return typeof value === 'string' && value.length === bytes * 2 && /^[0-9a-fA-F]+$/.test(value)
    ? value.toLowerCase()
    : null
}
