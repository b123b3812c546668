import { z } from 'zod'
import { type Clock, isWithin } from '@/lib/core/clock'
import type { MessageReading, MessageRow } from '../contracts'

/** A queue that grows is listed at most this often. */
const AGAIN_MS = 30_000
/** One message is looked up in what was read so lately, if the broker counts as many still. An act compares it at the broker. */
const LATELY_MS = 10_000
/** Payloads that are kept for it. */
const PAYLOADS_BYTES_MAX = 67_108_864

export type ReadLetter = MessageRow & { payload: Uint8Array | null }

const cursorSchema = z.coerce.number().int().min(0)

/**
 * Dead letters as they were last read: where reading costs deliveries, it is done anew only when the broker counts another number
 * of them, and else every so often.
 */
export function createListing(options: {
  clock: Clock
  everyMs: number
  /** How many the broker counts: cheap. */
  count: () => Promise<number>
  read: () => Promise<ReadLetter[]>
}) {
  const { clock, everyMs } = options
  let last: { items: ReadLetter[]; counted: number; atMs: number } | null = null
  let reading: Promise<ReadLetter[]> | null = null

  async function readAgain(counted: number): Promise<ReadLetter[]> {
    const atMs = clock.now().getTime()
    const items = keepSome([...(await options.read())].sort((a, b) => timeOf(a) - timeOf(b)))
    last = { items, counted, atMs }
    return items
  }

  /** As read within these: while the count is the same, and after it changed. */
  async function current(sameMs: number, changedMs: number): Promise<ReadLetter[]> {
    const counted = await options.count()
    if (last !== null) {
      const freshMs = counted === last.counted ? sameMs : changedMs
      if (isWithin(freshMs, clock.now().getTime(), last.atMs)) return last.items
    }
    reading ??= readAgain(counted).finally(() => {
      reading = null
    })
    return reading
  }

  return {
    async page(cursor: string | null, limit: number) {
      const now = clock.now()
      const from = cursor === null ? 0 : cursorSchema.parse(cursor)
      const items = from > 0 && last !== null ? last.items : await current(everyMs, AGAIN_MS)
      const to = from + limit
      return {
        now,
        items: items.slice(from, to).map(({ payload: _, ...row }): MessageRow => row),
        cursor: to < items.length ? String(to) : null,
      }
    },
    /** By its place or its publisher's id. */
    async find(place: string): Promise<MessageReading> {
      const items = await current(LATELY_MS, 0)
      const message = items.find((each) => each.seen.place === place) ?? items.find(({ id }) => id === place)
      return { now: clock.now(), message: message ?? null }
    },
    /** What an act has changed is read anew. */
    forget(): void {
      last = null
    },
  }
}

const timeOf = ({ settledAt, publishedAt }: MessageRow): number => (settledAt ?? publishedAt)?.getTime() ?? 0

/** Beyond a bound payloads are not kept: such a message is shown without. */
function keepSome(letters: readonly ReadLetter[]): ReadLetter[] {
  let bytes = 0
  return letters.map((letter) => {
    bytes += letter.sizeBytes
    return bytes <= PAYLOADS_BYTES_MAX ? letter : { ...letter, payload: null }
  })
}
