import type { ReactNode } from 'react'
import { TwoLines } from './table'

/** A row of a short list in a card: what it is, beneath it what else is known, and a word at its end. */
export function ListRow(props: {
  start?: ReactNode
  below: ReactNode
  end?: ReactNode
  children: ReactNode
}) {
  return (
    <li className="relative flex min-h-13 items-center gap-3 border-line border-t px-4 py-1.5 first:border-t-0 hover:bg-sunken">
      {props.start}
      <div className="min-w-0 flex-1">
        <TwoLines below={props.below}>{props.children}</TwoLines>
      </div>
      {props.end}
    </li>
  )
}
