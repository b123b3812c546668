import type { ReactNode } from 'react'
import { Pager } from './pager'
import { StillTable } from './still-table'
import { type Column, type RowLook, TableHead, TableRow } from './table'

type Props<Row> = {
  /** What the table holds, for those who listen. */
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  id: (row: Row) => string
  look?: (row: Row) => RowLook
  /** The filter and page that the rows answer: another one starts afresh. */
  view: string
  toolbar?: ReactNode
  /** Stands in the table's place when it has no row. */
  empty: ReactNode
  /** Absent = the list has one page. */
  pages?: { noun: string; cursor: string | null; next: string | null }
}

/** A list that lives: filters above, rows that stand still while others arrive, and the way to the next page. */
export function ListTable<Row>({ columns, rows, id, look, pages, ...frame }: Props<Row>) {
  return (
    <>
      <StillTable
        {...frame}
        head={<TableHead columns={columns} sticks />}
        rows={rows.map((row) => ({
          id: id(row),
          row: <TableRow key={id(row)} id={id(row)} row={row} columns={columns} {...look?.(row)} />,
        }))}
      />
      {pages !== undefined && <Pager shown={rows.length} {...pages} />}
    </>
  )
}
