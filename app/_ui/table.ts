import { classNames } from './class-names'

// One look for every table. `border-separate` keeps the lines under a header that sticks.

export const tableClass = 'w-full border-separate border-spacing-0'

export const headClass = (className?: string): string =>
  classNames(
    'sticky top-12 z-10 h-9 whitespace-nowrap border-line border-b bg-surface px-3 text-left font-medium text-ink-2 text-s first:pl-4 last:pr-4',
    className,
  )

/** Rows of two lines are 52 px high, those of one 36 px. */
export const cellClass = (className?: string): string =>
  classNames('h-[52px] border-line border-b px-3 py-1.5 align-middle first:pl-4 last:pr-4', className)

export const secondLineClass = 'block truncate text-ink-3 text-s'
