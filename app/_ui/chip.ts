import { classNames } from './class-names'

type Look = 'plain' | 'bad' | 'warn'

const LOOK: Record<Look, string> = {
  plain: 'border-line text-ink-2',
  bad: 'border-bad-line bg-bad-soft text-bad-ink',
  warn: 'border-warn-line bg-warn-soft text-warn-ink',
}

/** A small fact in the bar. */
export const chipClass = (look: Look = 'plain', className?: string): string =>
  classNames(
    'inline-flex h-7 items-center gap-1.5 whitespace-nowrap rounded-[6px] border px-2.5 font-medium text-s max-md:h-9',
    LOOK[look],
    className,
  )
