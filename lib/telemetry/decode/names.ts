import { cleanText } from './span'

/** Longer names are cut. */
const NAME_CHARACTERS_MAX = 256
const NAME_BYTES_MAX = NAME_CHARACTERS_MAX * 4
/** Longer ones are decoded each time. */
const KEPT_BYTES_MAX = 64
/** A power of two. */
const SLOTS = 1_024

type Kept = { bytes: Buffer; text: string }
const kept: (Kept | undefined)[] = new Array<Kept | undefined>(SLOTS).fill(undefined)

export const cleanName = (text: string): string => cleanText(text, NAME_CHARACTERS_MAX)

/**
 * The name in these bytes. Names come again with every span: the last of each slot is kept, which is a third of the
 * time of decoding it, and leaves nothing behind to collect.
 */
export function nameOf(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  if (length === 0 || length > KEPT_BYTES_MAX)
    return cleanName(bytes.toString('utf8', start, Math.min(end, start + NAME_BYTES_MAX)))
  const slot = slotOf(bytes, start, length)
  const known = kept[slot]
  if (known !== undefined && equals(known.bytes, bytes, start, length)) return known.text
  const text = cleanName(bytes.toString('utf8', start, end))
  // A copy: the request's own buffer must not outlive it.
  kept[slot] = { bytes: Buffer.from(bytes.subarray(start, end)), text }
  return text
}

/** Names differ in their length and at their ends. */
const HASHED_BYTES = 8

function slotOf(bytes: Buffer, start: number, length: number): number {
  let mixed = length
  const end = start + length
  for (let index = Math.max(start, end - HASHED_BYTES); index < end; index++)
    mixed = Math.imul(mixed, 31) + (bytes[index] ?? 0)
  return (mixed ^ (mixed >>> 10) ^ (mixed >>> 20)) & (SLOTS - 1)
}

function equals(name: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (name.length !== length) return false
  for (let index = 0; index < length; index++) if (name[index] !== bytes[start + index]) return false
  return true
}
