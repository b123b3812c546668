const STREAM = '/api/v1/stream'
/** A blip is not worth a word; five seconds would be too late. */
const SAY_CUT_AFTER_MS = 2_000
const POLL_EVERY_MS = 5_000
/** When the server refuses, the browser gives up: we ask again ourselves. */
const REOPEN_AFTER_MS = 4_000

export type Connection = 'live' | 'reconnecting'

type Options = { onChange: () => void; onConnection: (connection: Connection) => void }

/**
 * The event stream, with polling while it is cut. Only a visible page holds one, however it was opened: a browser allows
 * six HTTP/1.1 connections to a server, and six streams in background tabs would leave none for the page in front.
 */
export function openLiveStream({ onChange, onConnection }: Options) {
  let visible = !document.hidden
  let source: EventSource | undefined
  let cut: ReturnType<typeof setTimeout> | undefined
  let polling: ReturnType<typeof setInterval> | undefined
  let reopening: ReturnType<typeof setTimeout> | undefined

  function opened() {
    const wasCut = polling !== undefined
    clearTimeout(cut)
    clearInterval(polling)
    cut = polling = undefined
    onConnection('live')
    // Something may have changed meanwhile.
    if (wasCut) onChange()
  }

  function lost() {
    cut ??= setTimeout(() => {
      onConnection('reconnecting')
      onChange()
      polling = setInterval(onChange, POLL_EVERY_MS)
    }, SAY_CUT_AFTER_MS)
    if (source?.readyState !== EventSource.CLOSED) return
    clearTimeout(reopening)
    reopening = setTimeout(connect, REOPEN_AFTER_MS)
  }

  function connect() {
    source?.close()
    source = new EventSource(STREAM)
    source.addEventListener('open', opened)
    source.addEventListener('error', lost)
    source.addEventListener('change', onChange)
    source.addEventListener('gap', onChange)
  }

  function disconnect() {
    source?.close()
    source = undefined
    for (const each of [cut, reopening]) clearTimeout(each)
    clearInterval(polling)
    cut = reopening = polling = undefined
  }

  function connectIfVisible() {
    if (visible) connect()
  }

  /** A lost network leaves the old connection hanging: the browser knows sooner. */
  function offline() {
    source?.close()
    if (visible) lost()
  }

  window.addEventListener('offline', offline)
  window.addEventListener('online', connectIfVisible)
  connectIfVisible()

  return {
    setVisible(now: boolean) {
      visible = now
      if (visible) connect()
      else disconnect()
    },
    close() {
      window.removeEventListener('offline', offline)
      window.removeEventListener('online', connectIfVisible)
      disconnect()
    },
  }
}
