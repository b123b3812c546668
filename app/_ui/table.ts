import { classNames } from './class-names'

// One look for every table. `border-separate` keeps the lines under a header that sticks.

export const tableClass = 'w-full border-separate border-spacing-0'

const HEAD =
  'h-9 whitespace-nowrap border-line border-b bg-surface px-3 text-left font-medium text-ink-2 text-s first:pl-4 last:pr-4'

/** Sticks below the bar while the page scrolls. */
export const headClass = (className?: string): string => classNames('sticky top-12 z-10', HEAD, className)

/** Of a short table, or of one that scrolls sideways in a box of its own: there it must not stick. */
export const stillHeadClass = (className?: string): string => classNames(HEAD, className)

/** A row of two lines. */
export const cellClass = (className?: string): string => classNames('h-[52px] py-1.5', CELL, className)

/** A row of one line. */
export const lineCellClass = (className?: string): string => classNames('h-9 py-1', CELL, className)

const CELL = 'border-line border-b px-3 align-middle first:pl-4 last:pr-4'

export const secondLineClass = 'block truncate text-ink-3 text-s'
