import type { ReactNode } from 'react'
import { classNames } from './class-names'

const SURFACE = 'min-w-0 rounded-m border border-line bg-surface shadow-card'

/** A surface that its content names. */
export function CardFrame({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section aria-label={label} className={SURFACE}>
      {children}
    </section>
  )
}

/** A titled surface. `aside` says what the figures are: a unit, a rank, a count. */
export function Card(props: {
  id: string
  title: string
  aside?: ReactNode
  className?: string
  /** Said in the content's place: why there is none. */
  empty?: string | false
  children?: ReactNode
}) {
  return (
    <section aria-labelledby={props.id} className={classNames('flex flex-col', SURFACE, props.className)}>
      <header className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 px-4 pt-3 pb-1">
        <h2 id={props.id} className="text-l font-semibold">
          {props.title}
        </h2>
        {props.aside !== undefined && props.aside !== false && (
          <div className="min-w-0 text-right text-s text-ink-2">{props.aside}</div>
        )}
      </header>
      {props.empty ? <p className="px-4 pt-1 pb-4 text-ink-2">{props.empty}</p> : props.children}
    </section>
  )
}
