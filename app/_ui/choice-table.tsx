'use client'

import type { ReactNode } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { classNames } from './class-names'
import { SelectionBar } from './selection-bar'
import { type SteadyRow, useSteadyRows } from './steady-rows'
import { SteadyTable } from './still-table'
import { type Column, cellClass, headClass, TableHead, TableRow } from './table'
import { type AllMatching, type Chosen, useChosen } from './use-chosen'

type Props<Row> = {
  caption: string
  /** What a row is: "lock". */
  noun: string
  columns: readonly Column<SteadyRow<Row>>[]
  rows: readonly Row[]
  /** The filter and page that the rows answer: another one starts afresh. */
  view: string
  toolbar: ReactNode
  empty: ReactNode
  /** The row that is shown beside the table. */
  open?: string | null
  /** On a full page each new row pushes another to the next page: that one has not ended, and can still be chosen. */
  newestFirst?: boolean
  /** For those who do not see the row. */
  labelOf: (row: Row) => string
  canChoose?: (row: Row) => boolean
  /** What the box in the head selects: "all locks". */
  pageLabel: string
  /** How many match in all, on this page and the others. */
  matching: number
  selectAll: () => Promise<Attempted<AllMatching>>
  /** Why this person may not act. */
  refusal: string | null
  limitNote: string
  /** What became of those that were chosen before. */
  outcome?: ReactNode
  /** What can be done to those that are chosen. */
  chosen: (chosen: Chosen) => ReactNode
}

const BOX = 'block size-4 accent-accent-fill max-md:size-5'

/** Rows that stand still under the cursor, and what can be done to several at once. */
export function ChoiceTable<Row extends { id: string }>(props: Props<Row>) {
  const { columns, view, noun, open = null, newestFirst = false, canChoose, outcome } = props
  const { matching, selectAll, refusal, limitNote, caption, toolbar, empty } = props
  const steady = useSteadyRows(props.rows, view)
  const choosable = ({ item, gone }: SteadyRow<Row>) =>
    (newestFirst || !gone) && (canChoose === undefined || canChoose(item))
  const present = steady.rows.filter(choosable).map(({ item }) => item.id)
  const chosen = useChosen(present, view)
  const pushed = newestFirst && steady.fresh === steady.left
  const some = chosen.ids.length > 0
  const head = (
    <>
      <th scope="col" className={headClass('w-10 pr-0')}>
        <input
          type="checkbox"
          aria-label={`Select ${props.pageLabel} of this page`}
          checked={chosen.page}
          disabled={present.length === 0}
          onChange={chosen.togglePage}
          className={BOX}
        />
      </th>
      <TableHead columns={columns} sticks />
    </>
  )
  return (
    <>
      <SteadyTable {...{ caption, toolbar, empty, head }} steady={pushed ? { ...steady, left: 0 } : steady}>
        {steady.rows.map((row) => {
          const { id } = row.item
          const selected = choosable(row) && chosen.ids.includes(id)
          return (
            <TableRow
              key={id}
              {...{ id, row, columns }}
              chosen={selected || id === open}
              className={row.gone && !newestFirst ? 'text-ink-3' : undefined}
              first={
                <td className={cellClass('pr-0')}>
                  <input
                    type="checkbox"
                    aria-label={`Select ${props.labelOf(row.item)}`}
                    checked={selected}
                    disabled={!choosable(row)}
                    onChange={() => chosen.toggle(id)}
                    className={`relative z-[1] ${BOX}`}
                  />
                </td>
              }
            />
          )
        })}
      </SteadyTable>
      {/* What was chosen above can be acted on from there. */}
      <div className={classNames((some || Boolean(outcome)) && 'sticky bottom-0 z-10 max-md:bottom-14')}>
        {outcome}
        {(present.length > 0 || some) && (
          <SelectionBar {...{ chosen, matching, noun, selectAll, refusal, limitNote }} shown={present.length}>
            {props.chosen(chosen)}
          </SelectionBar>
        )}
      </div>
    </>
  )
}
