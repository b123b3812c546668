'use client'

import { usePathname } from 'next/navigation'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from 'react'

type Memory = {
  remember(path: string, content: ReactNode): void
  /** What the page showed when it could last be read; null when it never could. */
  recall(path: string): ReactNode | null
}

const MemoryContext = createContext<Memory>({ remember: () => undefined, recall: () => null })

/** Holds what the current page last showed, outside of the boundary that a failed refresh breaks. */
export function LastGood({ children }: { children: ReactNode }) {
  const kept = useRef<{ path: string; content: ReactNode } | null>(null)
  const memory = useMemo<Memory>(
    () => ({
      remember: (path, content) => {
        kept.current = { path, content }
      },
      recall: (path) => (kept.current?.path === path ? kept.current.content : null),
    }),
    [],
  )
  return <MemoryContext value={memory}>{children}</MemoryContext>
}

/** A page wraps its content in this: a refresh that fails then leaves it on the screen. */
export function Remember({ children }: { children: ReactNode }) {
  const path = usePathname()
  const { remember } = useContext(MemoryContext)
  useEffect(() => remember(path, children), [remember, path, children])
  return children
}

export function useLastGood(): ReactNode | null {
  const path = usePathname()
  return useContext(MemoryContext).recall(path)
}
