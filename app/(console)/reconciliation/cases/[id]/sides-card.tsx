import { Equal, EqualNot } from 'lucide-react'
import { Fragment, type ReactNode } from 'react'
import { Card } from '@/app/_ui/card'
import { classNames } from '@/app/_ui/class-names'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, Table } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { type Cell, type FieldRow, SIDES, type SideName } from '@/lib/reconcile/cases/compare-sides'
import type { CaseSides } from '@/lib/reconcile/cases/read-case-sides'

const TITLE: Record<SideName, string> = { intent: 'Intent', ledger: 'Ledger', provider: 'Provider' }

/** Every field beside its counterparts. A row that differs is tinted, and says so. */
export function SidesCard({
  rows,
  sources,
  comparedAt,
  resolved,
}: {
  rows: readonly FieldRow[]
  sources: CaseSides['sources']
  comparedAt: string
  resolved: boolean
}) {
  return (
    <Card
      id="sides"
      title="What each side says"
      aside={
        <>
          {resolved ? 'closed ' : 'compared '}
          <Time at={comparedAt} kind="ago" />
        </>
      }
    >
      <PhoneSides rows={rows} />
      <div className="max-md:hidden">
        <Table
          columns={columnsOf(sources)}
          rows={rows}
          id={({ field }) => field}
          look={({ agrees }) => ({ className: agrees === false ? 'bg-bad-soft' : undefined })}
          lines={1}
          scrolls="What each side says, table"
          className="min-w-[620px]"
        />
      </div>
    </Card>
  )
}

const columnsOf = (sources: CaseSides['sources']): Column<FieldRow>[] => [
  {
    head: 'Field',
    shown: null,
    names: true,
    width: 'w-24',
    className: 'text-ink-2',
    cell: ({ field }) => field,
  },
  ...SIDES.map(
    (side): Column<FieldRow> => ({
      head: TITLE[side],
      shown: (
        <>
          {TITLE[side]}{' '}
          <span className="text-ink-3">
            {sources
              .filter(({ kind }) => kind === side)
              .map(({ name }) => name)
              .join(', ')}
          </span>
        </>
      ),
      cell: ({ cells }) => <CellText cell={cells[side]} />,
    }),
  ),
  { head: 'Agree', shown: null, width: 'w-10', cell: ({ agrees }) => <Mark agrees={agrees} /> },
]

/** There is no room for three columns: each field, and beneath it what each side says. */
function PhoneSides({ rows }: { rows: readonly FieldRow[] }) {
  return (
    <ul className="md:hidden">
      {rows.map((row) => (
        <li
          key={row.field}
          className={classNames('border-line border-t px-4 py-2', row.agrees === false && 'bg-bad-soft')}
        >
          <p className="flex items-center justify-between font-medium">
            {row.field}
            <span>
              <Mark agrees={row.agrees} />
            </span>
          </p>
          <dl>
            {SIDES.map((side) => (
              <div key={side} className="flex justify-between gap-4 py-0.5">
                <dt className="text-ink-2">{TITLE[side]}</dt>
                <dd className="min-w-0 text-right">
                  <CellText cell={row.cells[side]} />
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  )
}

function Mark({ agrees }: { agrees: boolean | null }) {
  if (agrees === null) return <span className="sr-only">nothing to compare</span>
  const Icon = agrees ? Equal : EqualNot
  return (
    <>
      <Icon
        size={14}
        aria-hidden="true"
        className={classNames('ml-auto', agrees ? 'text-processing' : 'text-bad-ink')}
      />
      <span className="sr-only">{agrees ? 'agree' : 'differ'}</span>
    </>
  )
}

function CellText({ cell }: { cell: Cell }) {
  switch (cell.kind) {
    case 'text':
      return <span className={cell.strong ? 'font-semibold' : undefined}>{cell.text}</span>
    case 'ids':
      return (
        <>
          <Listed items={cell.ids} show={(id) => <ShortId id={id} />} />
          {cell.note !== undefined && ` ${cell.note}`}
        </>
      )
    case 'times':
      return <Listed items={cell.at} show={(at) => <Time at={at} kind="seconds" />} />
    case 'not_carried':
      return <span className="text-ink-3">not carried</span>
    case 'nothing':
      return <span className="font-medium">nothing</span>
    case 'no_source':
      return <span className="text-ink-3">not connected</span>
    default:
      return cell satisfies never
  }
}

const Listed = ({ items, show }: { items: readonly string[]; show: (item: string) => ReactNode }) =>
  items.map((item, index) => (
    <Fragment key={item}>
      {index > 0 && ', '}
      {show(item)}
    </Fragment>
  ))
