import type { ComponentProps, ReactNode } from 'react'
import { Card } from './card'
import { Table } from './table'

type Props<Row> = Omit<ComponentProps<typeof Card>, 'empty' | 'className'> &
  Omit<ComponentProps<typeof Table<Row>>, 'id'> & {
    rowId: (row: Row) => string
    /** Stands in the table's place when it has no row; a text says why. */
    empty?: ReactNode
  }

/** A card that is one table; `children` stand beneath it. */
export function TableCard<Row>({ id, title, aside, empty, rowId, children, ...table }: Props<Row>) {
  const instead = table.rows.length === 0 ? empty : undefined
  return (
    <Card id={id} title={title} aside={aside} empty={typeof instead === 'string' && instead}>
      {instead ?? <Table id={rowId} {...table} />}
      {children}
    </Card>
  )
}
