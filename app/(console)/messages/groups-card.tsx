'use client'

import { EmptyState } from '@/app/_ui/empty-state'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import { ActButtons } from './act/act-buttons'
import type { Refusals } from './act/labels'
import type { Query } from './query'
import type { DeadGroup } from './read-page'

type Props = { groups: readonly DeadGroup[]; query: Query; refusal: Refusals; place: string }

/** What dead messages died of: one cause is mended once, and its messages are sent again together. */
export function GroupsCard({ groups, query, refusal, place }: Props) {
  return (
    <TableCard
      id="causes"
      title="What they died of"
      aside="error, place in the code and topic"
      columns={columnsOf(query.cause, refusal, place)}
      rows={groups}
      rowId={({ fingerprint, topic }) => `${fingerprint} ${topic}`}
      look={({ fingerprint }) => ({ chosen: fingerprint === query.cause })}
      empty={
        <EmptyState kind="none" title="No message is dead">
          What a broker or a consumer gives up appears here, by its cause.
        </EmptyState>
      }
    />
  )
}

const columnsOf = (open: string | null, refusal: Refusals, place: string): Column<DeadGroup>[] => [
  {
    head: 'Cause',
    className: 'max-w-0 w-[60%]',
    cell: ({ fingerprint, title, topic }) => (
      <TwoLines below={topic}>
        <RowLink
          to={{ cause: fingerprint === open ? null : fingerprint, cursor: null }}
          open={fingerprint === open}
          title={title}
          className="truncate"
        >
          {title}
        </RowLink>
      </TwoLines>
    ),
  },
  figureColumn('Dead', ({ count }) => countText(count)),
  figureColumn('First', ({ firstAt }) => at(firstAt), { from: 'lg' }),
  figureColumn('Last', ({ lastAt }) => at(lastAt), { from: 'md' }),
  {
    head: 'Actions',
    shown: null,
    align: 'right',
    cell: ({ fingerprint, topic, count }) => (
      <ActButtons
        filter={{ fingerprint, topic }}
        what={plural(count, 'message')}
        {...{ refusal, place }}
        look="quiet"
      />
    ),
  },
]

const at = (value: string | null) =>
  value === null ? <span className="text-ink-3">not known</span> : <Time at={value} kind="ago" />
