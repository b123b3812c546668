'use client'

import { type ReactNode, useState } from 'react'
import { ChoiceTable } from '@/app/_ui/choice-table'
import { moneyText } from '@/app/_ui/money-text'
import { ShortId } from '@/app/_ui/short-id'
import type { SteadyRow } from '@/app/_ui/steady-rows'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { BULK_MAX } from '@/lib/core/bulk'
import type { MoneyJson } from '@/lib/core/money'
import { SeverityBadge } from '../../_page/severity-badge'
import type { Person } from '../triage-fields'
import { selectAllMatching, type Triaged } from './bulk'
import { BulkActions } from './bulk-actions'
import { TriageOutcome } from './triage-outcome'

export type CaseRow = {
  id: string
  title: string
  /** Its class. */
  name: string
  severity: string
  reference: string | null
  /** Of its key; of a case without one its system. */
  scope: string
  key: string | null
  amount: MoneyJson | null
  standing: string
  owner: string
  firstSeen: string
  /** What is resolved is not triaged. */
  open: boolean
}

type Props = {
  rows: readonly CaseRow[]
  /** The query that the rows answer: another one starts afresh. */
  view: string
  /** How many open ones match, on this page and the others. */
  matching: number
  toolbar: ReactNode
  empty: ReactNode
  people: readonly Person[]
  refusal: string | null
  place: string
}

/** Cases that stand still under the cursor, and what can be done to several at once. */
export function CasesTable({ people, place, ...table }: Props) {
  const [triaged, setTriaged] = useState<Triaged | null>(null)
  return (
    <ChoiceTable
      {...table}
      caption="Cases, newest first"
      noun="case"
      columns={COLUMNS}
      newestFirst
      canChoose={({ open }) => open}
      labelOf={({ id, title, reference }) => `${title}, ${reference ?? id}`}
      pageLabel="all open cases"
      selectAll={() => selectAllMatching(table.view)}
      limitNote={`One action touches at most ${BULK_MAX} cases: the others stay untouched, for the next ${BULK_MAX}.`}
      outcome={
        triaged !== null && (
          <TriageOutcome
            key={`${triaged.kind} ${triaged.done.join()}`}
            triaged={triaged}
            onUndone={setTriaged}
            onDismiss={() => setTriaged(null)}
          />
        )
      }
      chosen={({ ids, keep }) => (
        <BulkActions
          {...{ ids, people, place }}
          refusal={table.refusal}
          onDone={(result) => {
            setTriaged(result)
            keep(result.failed.filter(({ retryable }) => retryable).map(({ id }) => id))
          }}
        />
      )}
    />
  )
}

const COLUMNS: Column<SteadyRow<CaseRow>>[] = [
  {
    head: 'Case',
    className: 'max-md:w-full max-md:max-w-0',
    cell: ({ item: { id, title, name, severity } }) => (
      <TwoLines below={<span className="font-mono">{name}</span>} title={id}>
        <RowLink to={`/reconciliation/cases/${id}`} className="flex! items-center gap-2">
          <SeverityBadge severity={severity} />
          <span className="min-w-0">{title}</span>
        </RowLink>
      </TwoLines>
    ),
  },
  {
    head: 'Reference and key',
    from: 'md',
    cell: ({ item: { reference, scope, key } }) => (
      <TwoLines
        below={
          <>
            {scope}
            {key !== null && (
              <>
                {' · '}
                <ShortId id={key} />
              </>
            )}
          </>
        }
      >
        {reference === null ? <span className="text-ink-3">no reference</span> : <ShortId id={reference} />}
      </TwoLines>
    ),
  },
  figureColumn('Amount', ({ item: { amount } }) =>
    amount === null ? <span className="text-ink-3">none</span> : moneyText(amount),
  ),
  {
    head: 'Standing',
    from: 'md',
    cell: ({ item: { standing, owner } }) => <TwoLines below={owner}>{standing}</TwoLines>,
  },
  figureColumn('Age', ({ item: { firstSeen } }) => <Time at={firstSeen} kind="age" />, {
    className: 'text-ink-2',
  }),
]
