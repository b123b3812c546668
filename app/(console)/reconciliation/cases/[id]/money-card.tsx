import { Card } from '@/app/_ui/card'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, Table } from '@/app/_ui/table'
import type { MoneyRow } from '@/lib/reconcile/cases/money-rows'

const COLUMNS: Column<MoneyRow>[] = [
  {
    head: 'What',
    names: true,
    cell: ({ what, id }) => (
      <>
        {what} {id !== null && <ShortId id={id} />}
      </>
    ),
  },
  { head: 'Amount', align: 'right', nowrap: true, cell: ({ amount }) => amount },
  {
    head: 'Why',
    className: ({ attention }) => (attention ? 'break-words text-warn-ink' : 'break-words text-ink-2'),
    cell: ({ explanation }) => explanation,
  },
]

/** All money of a charge, and what explains each part of it: what an approval of a refund rests on. */
export function MoneyCard({ charge, rows }: { charge: string; rows: readonly MoneyRow[] }) {
  return (
    <Card id={`money-${charge}`} title="Money of the charge" aside={<ShortId id={charge} />}>
      <Table
        columns={COLUMNS}
        rows={rows}
        id={({ what, id }) => `${what} ${id}`}
        look={({ attention }) => ({ className: attention ? 'bg-warn-soft' : undefined })}
        lines={1}
        scrolls={`Money of the charge ${charge}, table`}
      />
    </Card>
  )
}
