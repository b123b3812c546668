'use client'

import type { ReactNode } from 'react'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { PAGES } from '../nav'
import { ROW_SHORTCUTS, useShortcutText } from './use-shortcuts'

export function HelpDialog({ onClose }: { onClose: () => void }) {
  const shortcut = useShortcutText()
  return (
    <Dialog
      open
      onClose={onClose}
      title="Keyboard shortcuts"
      lead="None of them fires while you write."
      onlyText
      footer={
        <Button onClick={onClose} data-autofocus>
          Close
        </Button>
      }
    >
      <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        <Group title="Everywhere">
          <Line keys={[shortcut]} does="Find a key, a trace, a charge" />
          <Line keys={['/']} does="The same" />
          <Line keys={['?']} does="This list" />
        </Group>
        <Group title="In a table">
          {ROW_SHORTCUTS.map(({ keys, does }) => (
            <Line key={does} keys={keys} does={does} />
          ))}
        </Group>
        <Group title="Go to">
          {PAGES.map(({ letter, label, href }) => (
            <Line key={href} keys={['g', letter]} does={label} />
          ))}
        </Group>
      </div>
    </Dialog>
  )
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1 text-ink-3 text-s">{title}</h3>
      <dl>{children}</dl>
    </section>
  )
}

function Line({ keys, does }: { keys: readonly string[]; does: string }) {
  return (
    <div className="flex min-h-8 items-center justify-between gap-4">
      <dt>{does}</dt>
      <dd className="flex gap-1">
        {keys.map((key, place) => (
          <kbd
            // biome-ignore lint/suspicious/noArrayIndexKey: keys of one shortcut, in order, that never change
            key={place}
            className="min-w-6 rounded-s border border-line-strong bg-sunken px-1.5 text-center font-sans text-s"
          >
            {key}
          </kbd>
        ))}
      </dd>
    </div>
  )
}
