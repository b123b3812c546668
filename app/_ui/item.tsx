import type { ReactNode } from 'react'

type Props = {
  title: ReactNode
  /** What can be done to it. */
  action?: ReactNode
  /** What else is known, a line each. */
  children?: ReactNode
}

/** One of a list of things that are no table. More attributes (`data-…`) go to the item. */
export function Item({ title, action, children, ...rest }: Props) {
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-1 px-4 py-2" {...rest}>
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex flex-wrap items-center gap-2 break-words font-medium">{title}</p>
        <div className="break-words text-ink-2 text-s">{children}</div>
      </div>
      {action}
    </li>
  )
}

export const Items = ({ children }: { children: ReactNode }) => (
  <ul className="divide-y divide-line">{children}</ul>
)
