import type { ReactNode } from 'react'
import { classNames, coveringClass } from './class-names'
import { PageLink, QueryLink } from './page-link'
import { ScrollBox } from './scroll-box'

// One look for every table. `border-separate` keeps the lines under a header that sticks.

export const tableClass = 'w-full border-separate border-spacing-0'

const HEAD =
  'h-9 whitespace-nowrap border-line border-b px-3 text-left font-medium text-ink-2 text-s first:pl-4 last:pr-4'

/** Sticks below the bar while the page scrolls. */
export const headClass = (className?: string): string =>
  classNames('sticky top-12 z-10 bg-surface', HEAD, className)

/** Of a short table, or of one that scrolls sideways in a box of its own: there it must not stick. */
export const stillHeadClass = (className?: string): string => classNames(HEAD, className)

/** A row of two lines. */
export const cellClass = (className?: string): string => classNames('h-[52px] py-1.5', CELL, className)

/** A row of one line. */
export const lineCellClass = (className?: string): string => classNames('h-9 py-1', CELL, className)

const CELL = 'border-line border-b px-3 align-middle first:pl-4 last:pr-4'

export const secondLineClass = 'block truncate text-ink-3 text-s'

/** A column, said once: its head, its cells, and how both stand. */
export type Column<Row> = {
  /** Its name, and unlike the others'. */
  head: string
  /** Shown as the head instead of the name; null = the name is for screen readers alone. */
  shown?: ReactNode
  cell: (row: Row) => ReactNode
  align?: 'right'
  /** The least width of the window that has room for it. */
  from?: 'md' | 'lg' | 'xl' | '2xl'
  /** Its cells name their row. */
  names?: true
  nowrap?: true
  /** Of the head: how wide the column is. */
  width?: string
  /** Of its cells. */
  className?: string | ((row: Row) => string | undefined)
  title?: (row: Row) => string | undefined
}

/** On paper all of them are there. */
const FROM = {
  md: 'max-md:hidden print:table-cell!',
  lg: 'max-lg:hidden print:table-cell!',
  xl: 'max-xl:hidden print:table-cell!',
  '2xl': 'max-2xl:hidden print:table-cell!',
} as const

/** A column of figures: right, and in one line. */
export const figureColumn = <Row,>(
  head: string,
  cell: (row: Row) => ReactNode,
  own: Partial<Column<Row>> = {},
): Column<Row> => ({ head, cell, align: 'right', nowrap: true, ...own })

const placeOf = <Row,>({ align, from }: Column<Row>): string =>
  classNames(align === 'right' && 'text-right', from !== undefined && FROM[from])

export type RowLook = {
  /** It is open, or selected. */
  chosen?: boolean
  className?: string | undefined
}

type BodyProps<Row> = {
  columns: readonly Column<Row>[]
  /** Rows of one line are lower. */
  lines?: 1 | 2
}

export function TableHead<Row>({ columns, sticks }: { columns: readonly Column<Row>[]; sticks: boolean }) {
  const look = sticks ? headClass : stillHeadClass
  return columns.map((column) => (
    <th key={column.head} scope="col" className={look(classNames(placeOf(column), column.width))}>
      {column.shown === null ? <span className="sr-only">{column.head}</span> : (column.shown ?? column.head)}
    </th>
  ))
}

/** `first` stands before the columns: what selects the row. */
export function TableRow<Row>(props: BodyProps<Row> & RowLook & { id: string; row: Row; first?: ReactNode }) {
  const { id, row, columns, lines = 2, first, chosen = false, className } = props
  const look = lines === 1 ? lineCellClass : cellClass
  return (
    <tr
      data-row={id}
      className={classNames('relative', chosen ? 'bg-accent-soft' : 'hover:bg-sunken', className)}
    >
      {first}
      {columns.map((column) => {
        const own = typeof column.className === 'function' ? column.className(row) : column.className
        const said = { title: column.title?.(row), children: column.cell(row) }
        const place = classNames(placeOf(column), column.nowrap && 'whitespace-nowrap', own)
        return column.names ? (
          <th
            key={column.head}
            scope="row"
            className={look(classNames('text-left font-normal', place))}
            {...said}
          />
        ) : (
          <td key={column.head} className={look(place)} {...said} />
        )
      })}
    </tr>
  )
}

type TableProps<Row> = BodyProps<Row> & {
  rows: readonly Row[]
  id: (row: Row) => string
  look?: (row: Row) => RowLook
  caption?: string
  /** It may be wider than its card, and scrolls there; this names the box. */
  scrolls?: string
  className?: string
}

/** A table that does not stand for a list that lives: figures, parts, what belongs to one thing. */
export function Table<Row>({ rows, id, look, caption, scrolls, className, ...body }: TableProps<Row>) {
  const table = (
    <table className={classNames(tableClass, '[&>tbody>tr:last-child>*]:border-b-0', className)}>
      {caption !== undefined && <caption className="sr-only">{caption}</caption>}
      <thead>
        <tr>
          <TableHead columns={body.columns} sticks={false} />
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <TableRow key={id(row)} id={id(row)} row={row} {...body} {...look?.(row)} />
        ))}
      </tbody>
    </table>
  )
  return scrolls === undefined ? table : <ScrollBox label={scrolls}>{table}</ScrollBox>
}

/** The link that a whole row is; j, k and Enter find it. `to`: another page, or what changes of this page's query. */
export function RowLink(props: {
  to: string | Record<string, string | null>
  /** What it leads to is open. */
  open?: boolean
  title?: string
  className?: string
  children: ReactNode
}) {
  const { to, open = false, title, className, children } = props
  const link = {
    'data-row-link': true,
    'aria-current': open ? ('true' as const) : undefined,
    title,
    className: classNames('block hover:underline', coveringClass, className),
    children,
  }
  return typeof to === 'string' ? (
    <PageLink href={to} {...link} />
  ) : (
    <QueryLink set={to} scroll={false} {...link} />
  )
}

/** Two lines of a cell: what it is, and beneath it what else is known. */
export function TwoLines({
  below,
  title,
  children,
}: {
  below: ReactNode
  title?: string
  children: ReactNode
}) {
  return (
    <>
      <span className="block">{children}</span>
      <span className={secondLineClass} title={title}>
        {below}
      </span>
    </>
  )
}
