import pg from 'pg'
import { LIVE_CHANNEL, type LiveEvent, liveEventSchema } from '@/lib/live-events'
import type { Log } from '@/lib/log'

const RECONNECT_MS = 2_000

export type LiveFeed = {
  /** `end` is called when the process shuts down. Returns what ends the subscription. */
  subscribe(subscriber: Subscriber): () => void
  /** How many read. */
  size(): number
  close(): Promise<void>
}
export type Subscriber = {
  event(event: LiveEvent): void
  /** The connection to the database was lost or is back: events may have been missed. */
  gap(): void
  end(): void
}

/** One LISTEN connection for all streams of a process; made for the first reader and kept. */
export function createLiveFeed(url: string, log: Log): LiveFeed {
  const subscribers = new Set<Subscriber>()
  let client: pg.Client | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false

  const lost = (error?: Error) => {
    if (client === undefined || closed) return
    log.warn({ err: error }, 'the live feed lost its connection')
    client = undefined
    retry = setTimeout(connect, RECONNECT_MS)
    retry.unref()
  }

  function connect(): void {
    if (closed || client !== undefined) return
    const opening = new pg.Client({
      connectionString: url,
      application_name: 'idemscope-live',
      keepAlive: true,
    })
    client = opening
    opening.on('notification', ({ payload }) => {
      const event = parseEvent(payload)
      if (event !== null) for (const subscriber of subscribers) subscriber.event(event)
    })
    opening.on('error', (error) => client === opening && lost(error))
    opening.on('end', () => client === opening && lost())
    opening
      .connect()
      .then(() => opening.query(`LISTEN ${LIVE_CHANNEL}`))
      .then(
        () => {
          for (const subscriber of subscribers) subscriber.gap()
        },
        (error: Error) => {
          if (client === opening) lost(error)
          // What it failed of is logged; that it cannot be closed either says nothing more.
          opening.end().catch(() => undefined)
        },
      )
  }

  return {
    subscribe(subscriber) {
      if (closed) {
        subscriber.end()
        return () => undefined
      }
      subscribers.add(subscriber)
      connect()
      return () => {
        subscribers.delete(subscriber)
      }
    },
    size: () => subscribers.size,
    async close() {
      closed = true
      clearTimeout(retry)
      for (const subscriber of subscribers) subscriber.end()
      subscribers.clear()
      // A connection that is lost already needs no end.
      await client?.end().catch(() => undefined)
    },
  }
}

function parseEvent(payload: string | undefined): LiveEvent | null {
  try {
    return liveEventSchema.parse(JSON.parse(payload ?? ''))
  } catch {
    // Whoever may NOTIFY may send anything; what is not ours is nobody's event.
    return null
  }
}
