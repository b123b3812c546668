import type { ReactNode } from 'react'
import { classNames } from './class-names'

/**
 * Holds what may be wider than the screen. It scrolls by keyboard too, and is positioned, so that what is for screen readers
 * alone scrolls along and does not widen the page.
 */
export function ScrollBox({
  label,
  className,
  children,
}: {
  label: string
  className?: string
  children: ReactNode
}) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className={classNames('relative overflow-auto', className)}
    >
      {children}
    </section>
  )
}
