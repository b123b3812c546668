'use client'

import { useRouter } from 'next/navigation'
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useTransition,
} from 'react'
import { type Connection, openLiveStream } from './live-stream'

/** Nothing is read again more often than this, whatever happens. */
const REFRESH_GAP_MS = 2_500
/** Ages and "silent since" must move when nothing arrives any more. */
const QUIET_REFRESH_MS = 20_000
const PROBE_TIMEOUT_MS = 5_000
/** One cheap read behind the session: it says whether a refresh would succeed before the page is replaced. */
const PROBE = '/api/v1/sources'

type State = Connection | 'stale'
const ConnectionContext = createContext<State>('live')

/** `live`, `reconnecting` (the stream is cut, polling goes on), or `stale` (reading fails: the last data is kept). */
export const useConnection = (): State => useContext(ConnectionContext)

/**
 * Keeps server-rendered pages current: a change on the stream, or the clock, refreshes them. A hidden tab does nothing;
 * on return it refreshes at once. When reading fails the last data stays, and is said to be stale.
 */
export function Live({ children }: { children: ReactNode }) {
  const router = useRouter()
  const [connection, setConnection] = useState<Connection>('live')
  const [failed, setFailed] = useState(false)
  const [pending, startTransition] = useTransition()
  const pendingRef = useRef(pending)
  pendingRef.current = pending
  const lastMs = useRef(0)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const probing = useRef(false)

  const refresh = useCallback(async () => {
    if (document.hidden || probing.current || pendingRef.current) return
    probing.current = true
    lastMs.current = performance.now()
    const answer = await fetch(PROBE, {
      cache: 'no-store',
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    }).catch(() => null)
    probing.current = false
    if (answer?.status === 401) return window.location.reload()
    setFailed(answer?.ok !== true)
    if (answer?.ok === true) startTransition(() => router.refresh())
  }, [router])

  /** At once when the last time is long enough ago, else when it will be; many calls make one refresh. */
  const refreshSoon = useCallback(() => {
    if (timer.current !== undefined) return
    const waitMs = Math.max(0, lastMs.current + REFRESH_GAP_MS - performance.now())
    timer.current = setTimeout(() => {
      timer.current = undefined
      void refresh()
    }, waitMs)
  }, [refresh])

  useEffect(() => {
    lastMs.current = performance.now()
    const stream = openLiveStream({ onChange: refreshSoon, onConnection: setConnection })
    const quiet = setInterval(refreshSoon, QUIET_REFRESH_MS)
    const look = () => {
      stream.setVisible(!document.hidden)
      if (!document.hidden) void refresh()
    }
    document.addEventListener('visibilitychange', look)
    return () => {
      document.removeEventListener('visibilitychange', look)
      clearInterval(quiet)
      clearTimeout(timer.current)
      timer.current = undefined
      stream.close()
    }
  }, [refresh, refreshSoon])

  const state: State = failed ? 'stale' : connection
  return (
    <ConnectionContext value={state}>
      {children}
      <p className="sr-only" role="status">
        {ANNOUNCEMENT[state]}
      </p>
    </ConnectionContext>
  )
}

const ANNOUNCEMENT: Record<State, string> = {
  live: '',
  reconnecting: 'Live updates are interrupted. Reconnecting.',
  stale: 'The console cannot read its data. The last figures stay on the screen.',
}
