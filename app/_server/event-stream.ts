import { AppError } from '@/lib/core/errors'
import type { LiveEvent } from '@/lib/live-events'
import type { LiveFeed } from './live-feed'

/** Proxies and browsers keep a quiet connection for at least this long. */
const HEARTBEAT_MS = 15_000
/** What a reader has not taken yet; beyond it the stream is cut and the page connects again. */
const QUEUED_BYTES_MAX = 65_536
const RECONNECT_MS = 2_000
/** One process has pages to answer, too. */
const STREAMS_MAX = 500

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  // Kept alive for a next request, its connection would hold the end of the process back by seconds.
  connection: 'close',
}

/**
 * Server-sent events: `change` with `{ kind, id? }`, `gap` after which a reader reads everything again. Ends by itself
 * when `stillAllowed` says no, when the reader goes, and when the process shuts down.
 */
export function eventStream(
  feed: LiveFeed,
  signal: AbortSignal,
  stillAllowed: () => Promise<boolean>,
): Response {
  if (feed.size() >= STREAMS_MAX) {
    throw new AppError('unavailable', `${STREAMS_MAX} streams are open already: poll instead.`)
  }
  let cancel = (): void => undefined
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cancel = pump(controller, feed, stillAllowed)
        signal.addEventListener('abort', cancel, { once: true })
      },
      cancel: () => cancel(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: QUEUED_BYTES_MAX }),
  )
  return new Response(body, { headers: HEADERS })
}

function pump(
  controller: ReadableStreamDefaultController<Uint8Array>,
  feed: LiveFeed,
  stillAllowed: () => Promise<boolean>,
): () => void {
  const encoder = new TextEncoder()
  let open = true
  let unsubscribe = (): void => undefined
  const end = () => {
    if (!open) return
    open = false
    clearInterval(timer)
    unsubscribe()
    try {
      controller.close()
    } catch {
      // The reader cancelled it already.
    }
  }
  const send = (text: string) => {
    if (!open) return
    if ((controller.desiredSize ?? 0) <= 0) return end()
    controller.enqueue(encoder.encode(text))
  }
  const beat = () => {
    send(': beat\n\n')
    stillAllowed().then(
      (allowed) => allowed || end(),
      () => undefined,
    )
  }
  const timer = setInterval(beat, HEARTBEAT_MS)
  timer.unref()
  send(`retry: ${RECONNECT_MS}\n: open\n\n`)
  unsubscribe = feed.subscribe({
    event: (event: LiveEvent) => send(`event: change\ndata: ${JSON.stringify(event)}\n\n`),
    gap: () => send('event: gap\ndata: {}\n\n'),
    end,
  })
  // The feed had ended already.
  if (!open) unsubscribe()
  return end
}
