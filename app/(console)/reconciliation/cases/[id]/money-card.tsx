import { ShortId } from '@/app/_ui/short-id'
import { type Column, figureColumn } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
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
  figureColumn('Amount', ({ amount }) => amount),
  {
    head: 'Why',
    className: ({ attention }) => (attention ? 'break-words text-warn-ink' : 'break-words text-ink-2'),
    cell: ({ explanation }) => explanation,
  },
]

/** All money of a charge, and what explains each part of it: what an approval of a refund rests on. */
export const MoneyCard = ({ charge, rows }: { charge: string; rows: readonly MoneyRow[] }) => (
  <TableCard
    id={`money-${charge}`}
    title="Money of the charge"
    aside={<ShortId id={charge} />}
    columns={COLUMNS}
    rows={rows}
    rowId={({ what, id }) => `${what} ${id}`}
    look={({ attention }) => ({ className: attention ? 'bg-warn-soft' : undefined })}
    lines={1}
    scrolls={`Money of the charge ${charge}, table`}
  />
)
