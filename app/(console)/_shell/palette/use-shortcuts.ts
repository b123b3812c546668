'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useRef } from 'react'
import { withKept } from '@/app/_ui/time-range'
import { PAGES } from '../nav'
import { closeOpen, isWriting, moveRow, selectRow } from './shortcuts'

/** After `g` the letter must follow within this. */
const SEQUENCE_MS = 1_200

type On = { openPalette: () => void; openHelp: () => void }

export function useShortcuts({ openPalette, openHelp }: On): void {
  const router = useRouter()
  const goAtMs = useRef(0)
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if ((event.metaKey || event.ctrlKey) && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        return openPalette()
      }
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return
      if (isWriting(event.target)) return
      const afterGo = event.timeStamp - goAtMs.current < SEQUENCE_MS
      goAtMs.current = 0
      const page = afterGo ? PAGES.find(({ letter }) => letter === event.key) : undefined
      if (page !== undefined)
        return router.push(withKept(page.href, new URLSearchParams(window.location.search)))
      const act = ACTS[event.key]
      if (event.key === 'g') goAtMs.current = event.timeStamp
      else if (event.key === '?') openHelp()
      else if (event.key === '/') {
        event.preventDefault()
        openPalette()
      } else act?.()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [router, openPalette, openHelp])
}

const ACTS: Record<string, () => void> = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: selectRow,
  Escape: closeOpen,
}
