/** Values of COPY's text format. Times are UTC with six digits of fraction, so that they sort as text. */

export const NULL = '\\N'

const ESCAPED: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const TO_ESCAPE = /[\\\t\n\r]/g
const NEEDS_ESCAPE = /[\\\t\n\r]/

export function escapeText(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text
  return text.replace(TO_ESCAPE, (character) => ESCAPED[character] ?? character)
}

export const hex = (value: string | null) => (value === null ? NULL : `\\\\x${value}`)
export const nullable = (value: string | null) => (value === null ? NULL : escapeText(value))
export const small = (value: number) => (value >= 0 && value <= 32_767 ? value : 0)

let cachedSecond = -1
let cachedText = ''

/** Microseconds, which is what timestamptz keeps. */
export function timestamp(ns: bigint): string {
  // Exact: microseconds since 1970 stay below 2^53 until the year 2255, and intake ends a day from now.
  const us = Number(ns / 1000n)
  const second = Math.floor(us / 1_000_000)
  if (second !== cachedSecond) {
    cachedText = new Date(second * 1000).toISOString().slice(0, 19)
    cachedSecond = second
  }
  return `${cachedText}.${String(us - second * 1_000_000).padStart(6, '0')}Z`
}

/** The same of a date; years beyond 9999 would not sort. */
export const timestampOf = (date: Date) =>
  date.getTime() < Date.UTC(10_000, 0) ? `${date.toISOString().slice(0, -1)}000Z` : 'infinity'

export function json(value: unknown): string {
  try {
    // A replacer makes it four times as slow, and an int64 beyond 2^53 is rare.
    return JSON.stringify(value)
  } catch {
    return JSON.stringify(value, (_name, each) => (typeof each === 'bigint' ? each.toString() : each))
  }
}

/** An element of an array literal. */
export const element = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`
