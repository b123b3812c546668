'use client'

import type { ReactNode } from 'react'
import { FreshPill } from './fresh-pill'
import { type SteadyRows, useSteadyRows } from './steady-rows'
import { tableClass } from './table'

export type StillRow = { id: string; row: ReactNode }

type FrameProps = {
  /** What the table holds, for those who listen. */
  caption: string
  /** The header's cells. */
  head: ReactNode
  toolbar?: ReactNode
  /** Stands in the table's place when it has no row. */
  empty: ReactNode
}

/**
 * A table whose rows the server rendered, and that stands still under the cursor: what it shows keeps its place and is
 * brought up to date there; what arrives waits behind "n new". `view` names the filter and page that the rows answer:
 * another one starts afresh.
 */
export function StillTable({
  rows,
  view,
  ...frame
}: FrameProps & { rows: readonly StillRow[]; view: string }) {
  const steady = useSteadyRows(rows, view)
  return (
    <SteadyTable {...frame} steady={steady}>
      {steady.rows.map(({ item }) => item.row)}
    </SteadyTable>
  )
}

/** The filters, what has come and gone meanwhile, and the table of the rows (`children`). */
export function SteadyTable(props: FrameProps & { steady: SteadyRows<unknown>; children: ReactNode }) {
  const { caption, head, toolbar, empty, steady, children } = props
  return (
    <>
      <div className="flex min-h-12 items-center gap-2 border-line border-b px-4 py-2">
        <div className="flex min-w-0 flex-wrap items-center gap-2">{toolbar}</div>
        <FreshPill fresh={steady.fresh} left={steady.left} onShow={steady.catchUp} />
      </div>
      {steady.rows.length === 0 ? (
        empty
      ) : (
        <table className={tableClass}>
          <caption className="sr-only">{caption}</caption>
          <thead>
            <tr>{head}</tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      )}
    </>
  )
}
