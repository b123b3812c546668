'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useRef } from 'react'
import { withKept } from '@/app/_ui/time-range'
import { useHydrated } from '@/app/_ui/zone'
import { PAGES } from '../nav'

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

export const ROW_SHORTCUTS = [
  { keys: ['j'], does: 'Next row' },
  { keys: ['k'], does: 'Row before' },
  { keys: ['Enter'], does: 'Open the row' },
  { keys: ['x'], does: 'Select the row' },
  { keys: ['Esc'], does: 'Close what is open' },
] as const

/** Nothing fires while somebody writes, or while a dialog has the keyboard. */
function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.closest('[role=dialog], [role=menu], [role=listbox]') !== null)
    return true
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'button', 'submit'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}

const rowLinks = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('main [data-row-link]')]

/** Moves the focus among the rows of the page's table; from elsewhere it begins at the first. */
function moveRow(by: 1 | -1): void {
  const links = rowLinks()
  const row = document.activeElement?.closest('[data-row]')
  const at = links.findIndex((link) => row?.contains(link))
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

function selectRow(): void {
  document.activeElement
    ?.closest('[data-row]')
    ?.querySelector<HTMLInputElement>('input[type=checkbox]')
    ?.click()
}

/** What is open beside a table says itself how it is closed. */
function closeOpen(): void {
  document.querySelector<HTMLElement>('main [data-escape]')?.click()
}

/** Which modifier the machine has is known in the browser only. */
export function useShortcutText(): string {
  const hydrated = useHydrated()
  return hydrated && /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'
}
