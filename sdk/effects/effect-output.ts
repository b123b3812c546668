import type { EffectOutput } from '../run/context'
import type { Json } from './json'
import { toStorableJson, toStorableText } from './storable'

export type StorableOutput = {
  reference: string | null
  amountMinor: bigint | null
  currency: string | null
  result: Json
}

const INT64_MAX = 2n ** 63n - 1n

/**
 * What an effect reported, as it can be stored, and which parts of it cannot. Never throws: the effect has happened, and
 * whatever is odd about its report must not lose that.
 */
export function readOutput(reported: EffectOutput<Json> | null | undefined): {
  output: StorableOutput
  leftOut: string[]
} {
  const leftOut: string[] = []
  const take = <T>(name: keyof StorableOutput, read: (value: unknown) => T | undefined): T | null => {
    try {
      const value: unknown = reported?.[name]
      if (value === undefined || value === null) return null
      const taken = read(value)
      if (taken !== undefined) return taken
    } catch {
      // A getter that throws: as odd as any other value.
    }
    leftOut.push(name)
    return null
  }
  if (reported !== undefined && (typeof reported !== 'object' || reported === null)) leftOut.push('all of it')
  const output = {
    reference: take('reference', (value) => readReference(value, leftOut)),
    amountMinor: take('amountMinor', readMinor),
    currency: take('currency', (value) => (typeof value === 'string' ? toStorableText(value) : undefined)),
    result: take('result', (value) => {
      const { json, leftOut: parts } = toStorableJson(value)
      leftOut.push(...parts.map((part) => `result: ${part}`))
      return json
    }),
  }
  return { output, leftOut }
}

function readReference(value: unknown, leftOut: string[]): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value !== 'string') return undefined
  const text = toStorableText(value)
  if (text !== value) leftOut.push('characters of reference')
  return text
}

/** A whole number of 64 bits. A fraction is no amount in minor units, and rounding it would be a guess. */
export function readMinor(value: unknown): bigint | undefined {
  const minor = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(Number(value)) : null
  return minor !== null && minor <= INT64_MAX && minor >= -INT64_MAX - 1n ? minor : undefined
}
