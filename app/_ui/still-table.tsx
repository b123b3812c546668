'use client'

import type { ReactNode } from 'react'
import { FreshPill } from './fresh-pill'
import { useSteadyRows } from './steady-rows'
import { tableClass } from './table'

export type StillRow = { id: string; row: ReactNode }

type Props = {
  /** What the table holds, for those who listen. */
  caption: string
  /** The header's cells. */
  head: ReactNode
  rows: readonly StillRow[]
  /** The filter and page that the rows answer: another one starts afresh. */
  view: string
  toolbar?: ReactNode
  /** Stands in the table's place when it has no row. */
  empty: ReactNode
}

/**
 * A table whose rows the server rendered, and that stands still under the cursor: what it shows keeps its place and is
 * brought up to date there; what arrives waits behind "n new".
 */
export function StillTable({ caption, head, rows: given, view, toolbar, empty }: Props) {
  const { rows, fresh, left, catchUp } = useSteadyRows(given, view)
  return (
    <>
      <div className="flex min-h-12 items-center gap-2 border-line border-b px-4 py-2">
        <div className="flex min-w-0 flex-wrap items-center gap-2">{toolbar}</div>
        <FreshPill fresh={fresh} left={left} onShow={catchUp} />
      </div>
      {rows.length === 0 ? (
        empty
      ) : (
        <table className={tableClass}>
          <caption className="sr-only">{caption}</caption>
          <thead>
            <tr>{head}</tr>
          </thead>
          <tbody>{rows.map(({ item }) => item.row)}</tbody>
        </table>
      )}
    </>
  )
}
