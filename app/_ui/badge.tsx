import type { ReactNode } from 'react'
import { classNames } from './class-names'

export type BadgeTone = 'plain' | 'bad' | 'warn' | 'ok' | 'accent'

const TONE: Record<BadgeTone, string> = {
  plain: 'bg-sunken text-ink-2',
  bad: 'bg-bad-soft text-bad-ink',
  warn: 'bg-warn-soft text-warn-ink',
  ok: 'bg-ok-soft text-ok-ink',
  accent: 'bg-accent-soft text-accent-ink',
}

/** One word about a thing's state. The word says it; the colour only helps to find it. */
export function Badge({
  tone = 'plain',
  title,
  children,
}: {
  tone?: BadgeTone
  title?: string | undefined
  children: ReactNode
}) {
  return (
    <span
      title={title}
      className={classNames(
        'inline-flex h-5 items-center gap-1 whitespace-nowrap rounded-full px-2 font-medium text-xs',
        TONE[tone],
      )}
    >
      {children}
    </span>
  )
}
