'use client'

import { Search } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useCallback, useState } from 'react'
import { ofElements } from '@/app/_ui/jsx/of-elements'
import { useShortcuts, useShortcutText } from './use-shortcuts'

// What is in the dialogs comes when one is opened.
const PaletteDialog = ofElements(
  dynamic(() => import('./palette-dialog').then((module) => module.PaletteDialog), { ssr: false }),
)
const HelpDialog = ofElements(
  dynamic(() => import('./help-dialog').then((module) => module.HelpDialog), { ssr: false }),
)

/** The search box of the bar, and every shortcut. */
export function Palette() {
  const [open, setOpen] = useState<'palette' | 'help' | null>(null)
  const openPalette = useCallback(() => setOpen('palette'), [])
  const openHelp = useCallback(() => setOpen('help'), [])
  useShortcuts({ openPalette, openHelp })
  const close = () => setOpen(null)
  const shortcut = useShortcutText()
  return (
    <>
      <button
        type="button"
        onClick={openPalette}
        aria-haspopup="dialog"
        className="flex h-8 min-w-0 items-center gap-2 rounded-[6px] border border-line-strong bg-surface px-2.5 text-ink-2 hover:bg-sunken max-xl:size-8 max-xl:justify-center max-xl:px-0 max-md:size-9 xl:w-80"
      >
        <Search size={14} aria-hidden="true" className="shrink-0" />
        <span className="max-xl:sr-only">Key, trace or charge</span>
        <kbd className="ml-auto rounded-s border border-line px-1 font-sans text-xs max-xl:hidden">
          {shortcut}
        </kbd>
      </button>
      {open === 'palette' && <PaletteDialog onClose={close} />}
      {open === 'help' && <HelpDialog onClose={close} />}
    </>
  )
}
