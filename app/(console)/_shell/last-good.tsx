'use client'

import { usePathname, useSearchParams } from 'next/navigation'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from 'react'

type Memory = {
  remember(place: string, content: ReactNode): void
  /** What the page showed when it could last be read; null when it never could. */
  recall(place: string): ReactNode | null
}

const MemoryContext = createContext<Memory>({ remember: () => undefined, recall: () => null })

/** Holds what the current page last showed, outside of the boundary that a failed refresh breaks. */
export function LastGood({ children }: { children: ReactNode }) {
  const kept = useRef<{ place: string; content: ReactNode } | null>(null)
  const memory = useMemo<Memory>(
    () => ({
      remember: (place, content) => {
        kept.current = { place, content }
      },
      recall: (place) => (kept.current?.place === place ? kept.current.content : null),
    }),
    [],
  )
  return <MemoryContext value={memory}>{children}</MemoryContext>
}

/** A page wraps its content in this: a refresh that fails then leaves it on the screen. */
export function Remember({ children }: { children: ReactNode }) {
  const place = usePlace()
  const { remember } = useContext(MemoryContext)
  useEffect(() => remember(place, children), [remember, place, children])
  return <>{children}</>
}

export function useLastGood(): ReactNode | null {
  const place = usePlace()
  return useContext(MemoryContext).recall(place)
}

/** What is looked at: another filter or range is another thing, which the old rows do not answer. */
function usePlace(): string {
  const path = usePathname()
  return `${path}?${useSearchParams()}`
}
