import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { type Column, Table } from '@/app/_ui/table'

type Row = { id: string; name: string; count: number }

const COLUMNS: Column<Row>[] = [
  { head: 'Name', names: true, cell: ({ name }) => name },
  { head: 'Count', align: 'right', from: 'md', cell: ({ count }) => count },
  { head: 'Change', shown: null, title: ({ name }) => `change ${name}`, cell: () => 'x' },
]
const ROWS: Row[] = [
  { id: 'a', name: 'first', count: 1 },
  { id: 'b', name: 'second', count: 2 },
]

const html = renderToStaticMarkup(
  <Table
    columns={COLUMNS}
    rows={ROWS}
    id={({ id }) => id}
    look={({ count }) => ({ chosen: count === 2 })}
    caption="Things"
  />,
)
const cellsOf = (row: string) =>
  [...row.matchAll(/<(t[hd])([^>]*)>(.*?)<\/\1>/g)].map(([, tag, attributes = '', text]) => ({
    tag,
    attributes,
    text,
  }))
const rows = [...html.matchAll(/<tr([^>]*)>(.*?)<\/tr>/g)].map(([, attributes = '', inside = '']) => ({
  attributes,
  cells: cellsOf(inside),
}))

test('a column is said once: its head and its cells stand alike, and hide alike', () => {
  const [head, first] = rows
  for (const cell of [head?.cells[1], first?.cells[1]]) {
    expect(cell?.attributes).toContain('text-right')
    expect(cell?.attributes).toContain('max-md:hidden')
  }
  expect(head?.cells[0]?.attributes).toContain('scope="col"')
  expect(first?.cells.map(({ text }) => text)).toEqual(['first', '1', 'x'])
})

test('what names a row is its header; a head that is not shown is there for those who listen', () => {
  const [head, first] = rows
  expect(first?.cells[0]).toMatchObject({ tag: 'th', attributes: expect.stringContaining('scope="row"') })
  expect(head?.cells[2]?.text).toBe('<span class="sr-only">Change</span>')
  expect(first?.cells[2]?.attributes).toContain('title="change first"')
  expect(html).toContain('<caption class="sr-only">Things</caption>')
})

test('rows are found by their id, and the chosen one looks so', () => {
  const [, first, second] = rows
  expect(first?.attributes).toContain('data-row="a"')
  expect(first?.attributes).not.toContain('bg-accent-soft')
  expect(second?.attributes).toContain('bg-accent-soft')
})
