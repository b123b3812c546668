'use client'

import { type ReactNode, useState } from 'react'
import { CardFrame } from '@/app/_ui/card'
import { ChoiceTable } from '@/app/_ui/choice-table'
import { EmptyState } from '@/app/_ui/empty-state'
import { GuardedButton } from '@/app/_ui/guarded-button'
import { useNow } from '@/app/_ui/now-clock'
import { PageLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { BULK_MAX } from '@/lib/core/bulk'
import { plural } from '@/lib/core/format-figure'
import type { LockFilter } from '@/lib/core/lock-filter'
import { selectAllMatching } from './actions'
import { lockColumns } from './lock-columns'
import type { Query } from './query'
import type { LockRow, Permit, StoreState } from './read-locks'
import { ResolveDialog, type Selection } from './resolve/resolve-dialog'

type Props = {
  rows: readonly LockRow[]
  next: string | null
  query: Query
  filter: LockFilter
  /** How many match in all, this page and the others. */
  matching: number
  permit: Permit
  stores: StoreState
  facets: ReactNode
}

export function LocksTable({ rows, next, query, filter, matching, permit, stores, facets }: Props) {
  const [selection, setSelection] = useState<Selection | null>(null)
  const now = useNow()
  const longestMs = Math.max(0, ...rows.map(({ acquiredAt }) => now - Date.parse(acquiredAt)))
  return (
    <CardFrame label="Table of locks">
      <ChoiceTable
        caption="Locks, the longest held first"
        noun="lock"
        columns={lockColumns(query.lock, longestMs)}
        rows={rows}
        view={[query.view, query.endpoint, query.client, query.cursor].join('|')}
        toolbar={facets}
        empty={<NoLocks query={query} stores={stores} />}
        open={query.lock}
        pageLabel="all locks"
        labelOf={({ key }) => key}
        matching={matching}
        selectAll={() => selectAllMatching(filter)}
        refusal={permit.refusal}
        limitNote={`More than ${BULK_MAX} in one action would need a second person, which actions on locks do not have: the others stay untouched, for the next ${BULK_MAX}.`}
        chosen={({ ids, keep }) => {
          const what = ids.length === 0 ? 'locks' : plural(ids.length, 'lock')
          return (
            <GuardedButton
              look="primary"
              forbidden={permit.refusal ?? (ids.length === 0 ? 'Select locks first' : null)}
              onClick={() => setSelection({ filter: { ids }, what, onDone: keep })}
            >
              Resolve {what}…
            </GuardedButton>
          )
        }}
      />
      <Pager shown={rows.length} noun="lock" cursor={query.cursor} next={next} />
      {selection !== null && (
        <ResolveDialog selection={selection} place={permit.place} onClose={() => setSelection(null)} />
      )}
    </CardFrame>
  )
}

function NoLocks({ query, stores }: { query: Query; stores: StoreState }) {
  if (stores === 'not_connected') {
    return (
      <EmptyState kind="waiting" title="No store is connected yet">
        Locks appear once an idempotency store is read.{' '}
        <PageLink href="/sources" look="link">
          Connect one in Sources.
        </PageLink>
      </EmptyState>
    )
  }
  if (stores === 'not_read') {
    return (
      <EmptyState kind="waiting" title="The store was not read yet">
        Whether a key is stuck is known once its leases were read.{' '}
        <PageLink href="/sources">Sources</PageLink> says what is in the way.
      </EmptyState>
    )
  }
  if (query.endpoint !== null || query.client !== null || query.cursor !== null) {
    return (
      <EmptyState kind="filtered" title="No lock matches these filters">
        Take one away to see more.
      </EmptyState>
    )
  }
  return (
    <EmptyState kind="none" title={query.view === 'stuck' ? 'No key is stuck' : 'None in this view'}>
      {query.view === 'stuck'
        ? 'Every key is held by a live holder or has ended. New ones appear here by themselves.'
        : 'They appear here by themselves.'}
    </EmptyState>
  )
}
