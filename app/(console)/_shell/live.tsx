'use client'

import { useRouter } from 'next/navigation'
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useTransition,
} from 'react'
import { type Connection, openLiveStream } from './live-stream'

/** Nothing is read again more often than this, whatever happens. */
const REFRESH_GAP_MS = 2_500
/** Ages and "silent since" must move when nothing arrives any more. */
const QUIET_REFRESH_MS = 20_000
/** A page that failed to be read is tried again this often. */
const RECOVERY_MS = 5_000
const PROBE_TIMEOUT_MS = 5_000
/** One cheap read behind the session: it says whether a refresh would succeed before the page is replaced. */
const PROBE = '/api/v1/sources'

type State = Connection | 'stale'
type LiveValue = {
  state: State
  /** While a page shows its error, this is how it is read again. Returns what ends that. */
  onRecovery(retry: () => void): () => void
}

const LiveContext = createContext<LiveValue>({ state: 'live', onRecovery: () => () => undefined })

/** `live`, `reconnecting` (the stream is cut, polling goes on), or `stale` (reading fails: the last data is kept). */
export const useConnection = (): State => useContext(LiveContext).state

/** For a page's error: it is read again, instead of refreshed, as soon as reading works. */
export function useRecovery(retry: () => void): void {
  const { onRecovery } = useContext(LiveContext)
  useEffect(() => onRecovery(retry), [onRecovery, retry])
}

/**
 * Keeps server-rendered pages current: a change on the stream, or the clock, refreshes them. A hidden tab does nothing;
 * on return it refreshes at once. When reading fails the last data stays, and is said to be stale.
 */
export function Live({ children }: { children: ReactNode }) {
  const router = useRouter()
  const [connection, setConnection] = useState<Connection>('live')
  const [failed, setFailed] = useState(false)
  const [broken, setBroken] = useState(false)
  const [pending, startTransition] = useTransition()
  const busy = useRef({ pending, probing: false })
  busy.current.pending = pending
  const lastMs = useRef(0)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const recover = useRef<(() => void) | null>(null)

  const refresh = useCallback(async () => {
    if (document.hidden || busy.current.probing || busy.current.pending) return
    busy.current.probing = true
    lastMs.current = performance.now()
    const answer = await fetch(PROBE, {
      cache: 'no-store',
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    }).catch(() => null)
    busy.current.probing = false
    if (answer?.status === 401) return window.location.reload()
    setFailed(answer?.ok !== true)
    if (answer?.ok === true) startTransition(recover.current ?? (() => router.refresh()))
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

  const onRecovery = useCallback(
    (retry: () => void) => {
      recover.current = retry
      setBroken(true)
      const again = setInterval(refreshSoon, RECOVERY_MS)
      return () => {
        clearInterval(again)
        recover.current = null
        setBroken(false)
      }
    },
    [refreshSoon],
  )

  const state: State = failed || broken ? 'stale' : connection
  const value = useMemo(() => ({ state, onRecovery }), [state, onRecovery])
  return (
    <LiveContext value={value}>
      {children}
      <p className="sr-only" role="status">
        {ANNOUNCEMENT[state]}
      </p>
    </LiveContext>
  )
}

const ANNOUNCEMENT: Record<State, string> = {
  live: '',
  reconnecting: 'Live updates are interrupted. Reconnecting.',
  stale: 'The console cannot read its data. The last figures stay on the screen.',
}
