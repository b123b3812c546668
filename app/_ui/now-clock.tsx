'use client'

import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'

const TICK_MS = 1_000

const NowContext = createContext(0)

/**
 * The server's clock, going on in the browser: ages are right though the two clocks differ, and the first paint says
 * what the server said.
 */
export function NowClock({ serverNow, children }: { serverNow: number; children: ReactNode }) {
  const [elapsed, setElapsed] = useState({ serverNow, ms: 0 })
  useEffect(() => {
    const startedAt = performance.now()
    const timer = setInterval(() => {
      if (!document.hidden) setElapsed({ serverNow, ms: performance.now() - startedAt })
    }, TICK_MS)
    return () => clearInterval(timer)
  }, [serverNow])
  const now = serverNow + (elapsed.serverNow === serverNow ? elapsed.ms : 0)
  return <NowContext value={now}>{children}</NowContext>
}

/** Milliseconds since the epoch, by the server's clock. */
export const useNow = (): number => useContext(NowContext)
