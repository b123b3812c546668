'use client'

import { type ReactNode, useState } from 'react'
import { classNames } from '@/app/_ui/class-names'
import { FreshPill } from '@/app/_ui/fresh-pill'
import { SelectionBar } from '@/app/_ui/selection-bar'
import { useSteadyRows } from '@/app/_ui/steady-rows'
import { cellClass, headClass, tableClass } from '@/app/_ui/table'
import { useChosen } from '@/app/_ui/use-chosen'
import { BULK_MAX } from '@/lib/core/bulk'
import { freezeMatching, type ShownFilter, type Triaged } from './bulk'
import { BulkActs } from './bulk-acts'
import type { Person } from './owner-field'
import { TriageOutcome } from './triage-outcome'

export type CaseRow = {
  id: string
  /** For who does not see the row. */
  label: string
  /** What is resolved is not triaged. */
  open: boolean
  cells: ReactNode
}

type Props = {
  rows: readonly CaseRow[]
  /** The filter and page that the rows answer: another one starts afresh. */
  view: string
  filter: ShownFilter
  /** How many open ones match, on this page and the others. */
  matching: number
  head: ReactNode
  toolbar: ReactNode
  empty: ReactNode
  people: readonly Person[]
  refusal: string | null
  place: string
}

/** Cases that stand still under the cursor, and what can be done to several at once. */
export function CasesTable(props: Props) {
  const { view, filter, matching, head, toolbar, empty, people, refusal, place } = props
  const { rows, fresh, left, catchUp } = useSteadyRows(props.rows, view)
  // One that newer ones have pushed to the next page is still there to be chosen.
  const present = rows.filter(({ item }) => item.open).map(({ item }) => item.id)
  const chosen = useChosen(present, view)
  const [triaged, setTriaged] = useState<Triaged | null>(null)
  const onDone = (result: Triaged) => {
    setTriaged(result)
    chosen.keep(result.failed.filter(({ retryable }) => retryable).map(({ id }) => id))
  }
  return (
    <>
      <div className="flex min-h-12 items-center gap-2 border-line border-b px-4 py-2">
        <div className="flex min-w-0 flex-wrap items-center gap-2">{toolbar}</div>
        {/* On a full page each new one pushes another to the next page: that has not ended. */}
        <FreshPill fresh={fresh} left={fresh === left ? 0 : left} onShow={catchUp} />
      </div>
      {rows.length === 0 ? (
        empty
      ) : (
        <table className={tableClass}>
          <caption className="sr-only">Cases, newest first</caption>
          <thead>
            <tr>
              <th scope="col" className={headClass('w-10 pr-0')}>
                <input
                  type="checkbox"
                  aria-label="Select all open cases of this page"
                  checked={chosen.page}
                  disabled={present.length === 0}
                  onChange={chosen.togglePage}
                  className="block size-4 accent-accent-fill max-md:size-5"
                />
              </th>
              {head}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ item }) => {
              const selected = chosen.ids.includes(item.id)
              return (
                <tr
                  key={item.id}
                  data-row={item.id}
                  className={classNames('relative', selected ? 'bg-accent-soft' : 'hover:bg-sunken')}
                >
                  <td className={cellClass('pr-0')}>
                    <input
                      type="checkbox"
                      aria-label={`Select ${item.label}`}
                      checked={selected}
                      disabled={!item.open}
                      onChange={() => chosen.toggle(item.id)}
                      className="relative z-[1] block size-4 accent-accent-fill max-md:size-5"
                    />
                  </td>
                  {item.cells}
                </tr>
              )
            })}
          </tbody>
        </table>
      )}
      <div
        className={classNames(
          (triaged !== null || chosen.ids.length > 0) && 'sticky bottom-0 z-10 max-md:bottom-14',
        )}
      >
        {triaged !== null && (
          <TriageOutcome
            key={`${triaged.kind} ${triaged.done.join()}`}
            triaged={triaged}
            onUndone={setTriaged}
            onDismiss={() => setTriaged(null)}
          />
        )}
        {present.length > 0 && (
          <SelectionBar
            chosen={chosen}
            shown={present.length}
            matching={matching}
            noun="case"
            freeze={() => freezeMatching(filter)}
            refusal={refusal}
            limitNote={`One act touches at most ${BULK_MAX} cases: the others stay untouched, for the next ${BULK_MAX}.`}
          >
            <BulkActs ids={chosen.ids} people={people} refusal={refusal} place={place} onDone={onDone} />
          </SelectionBar>
        )}
      </div>
    </>
  )
}
