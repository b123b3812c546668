import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { isWithin } from '@/lib/core/clock'
import type { MessageRow } from '../contracts'

/** A queue that grows is read at most this often. */
const AGAIN_MS = 30_000

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
  read: () => Promise<MessageRow[]>
}) {
  const { clock, everyMs } = options
  let last: { items: MessageRow[]; counted: number; atMs: number } | null = null
  let reading: Promise<MessageRow[]> | null = null

  async function readAgain(counted: number): Promise<MessageRow[]> {
    const atMs = clock.now().getTime()
    const items = [...(await options.read())].sort((a, b) => timeOf(a) - timeOf(b))
    last = { items, counted, atMs }
    return items
  }

  async function current(): Promise<MessageRow[]> {
    const counted = await options.count()
    if (last !== null) {
      const fresh = counted === last.counted ? everyMs : AGAIN_MS
      if (isWithin(fresh, clock.now().getTime(), last.atMs)) return last.items
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
      const items = from > 0 && last !== null ? last.items : await current()
      const to = from + limit
      return { now, items: items.slice(from, to), cursor: to < items.length ? String(to) : null }
    },
    /** What an act has changed is read anew. */
    forget(): void {
      last = null
    },
  }
}

const timeOf = ({ settledAt, publishedAt }: MessageRow): number => (settledAt ?? publishedAt)?.getTime() ?? 0
