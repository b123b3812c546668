import { Equal, EqualNot } from 'lucide-react'
import { Fragment } from 'react'
import { Card } from '@/app/_ui/card'
import { classNames } from '@/app/_ui/class-names'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import type { CaseSides } from '@/lib/reconcile/cases/read-case-sides'
import type { Cell } from './cells'
import { type FieldRow, SIDES, type SideName } from './compare-sides'

const TITLE: Record<SideName, string> = { intent: 'Intent', ledger: 'Ledger', provider: 'Provider' }

/** Every field beside its counterparts. A row that differs is tinted, and says so. */
export function SidesCard({
  rows,
  sources,
  judgedAt,
  resolved,
}: {
  rows: readonly FieldRow[]
  sources: CaseSides['sources']
  judgedAt: string
  resolved: boolean
}) {
  return (
    <Card
      id="sides"
      title="What each side says"
      aside={
        <>
          {resolved ? 'closed ' : 'judged '}
          <Time at={judgedAt} kind="age" /> ago
        </>
      }
    >
      <PhoneSides rows={rows} />
      <ScrollBox label="What each side says, table" className="max-md:hidden">
        <table className="w-full min-w-[620px]">
          <thead>
            <tr className="text-ink-2">
              <th scope="col" className="w-24 px-4 py-2">
                <span className="sr-only">Field</span>
              </th>
              {SIDES.map((side) => (
                <th key={side} scope="col" className="px-2 py-2 text-left font-normal">
                  {TITLE[side]}{' '}
                  <span className="text-ink-3">
                    {sources
                      .filter(({ kind }) => kind === side)
                      .map(({ name }) => name)
                      .join(', ')}
                  </span>
                </th>
              ))}
              <th scope="col" className="w-10">
                <span className="sr-only">Agree</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr
                key={row.field}
                className={classNames('border-line border-t', row.agrees === false && 'bg-bad-soft')}
              >
                <th scope="row" className="h-9 px-4 text-left font-normal text-ink-2">
                  {row.field}
                </th>
                {SIDES.map((side) => (
                  <td key={side} className="h-9 px-2 py-1.5">
                    <CellText cell={row.cells[side]} />
                  </td>
                ))}
                <td className="pr-4 text-right">
                  <Mark agrees={row.agrees} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Card>
  )
}

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
  return agrees ? (
    <>
      <Equal size={14} aria-hidden="true" className="ml-auto text-processing" />
      <span className="sr-only">agree</span>
    </>
  ) : (
    <>
      <EqualNot size={14} aria-hidden="true" className="ml-auto text-bad-ink" />
      <span className="sr-only">differ</span>
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
          {cell.ids.map((id, index) => (
            <Fragment key={id}>
              {index > 0 && ', '}
              <ShortId id={id} />
            </Fragment>
          ))}
          {cell.note !== undefined && ` ${cell.note}`}
        </>
      )
    case 'times':
      return cell.at.map((at, index) => (
        <Fragment key={at}>
          {index > 0 && ', '}
          <Time at={at} kind="seconds" />
        </Fragment>
      ))
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
