'use client'

import { type ReactNode, useState } from 'react'
import { Button } from '@/app/_ui/button'
import { classNames } from '@/app/_ui/class-names'
import { EmptyState } from '@/app/_ui/empty-state'
import { FreshPill } from '@/app/_ui/fresh-pill'
import { useNow } from '@/app/_ui/now-clock'
import { PageLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { SelectionBar } from '@/app/_ui/selection-bar'
import { useSteadyRows } from '@/app/_ui/steady-rows'
import { headClass, tableClass } from '@/app/_ui/table'
import { useChosen } from '@/app/_ui/use-chosen'
import { BULK_MAX } from '@/lib/core/bulk'
import type { LockFilter } from '@/lib/core/lock-filter'
import { freezeMatching } from './act'
import { LockLine } from './lock-line'
import type { Query } from './query'
import type { LockRow, Permit } from './read-locks'
import { ResolveDialog, type Selection } from './resolve-dialog'
import type { StoreState } from './tally'
import { locksText } from './words'

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
  const resetKey = [query.view, query.endpoint, query.client, query.cursor].join('|')
  const steady = useSteadyRows(rows, resetKey)
  const chosen = useChosen(
    steady.rows.filter(({ gone }) => !gone).map(({ item }) => item.id),
    resetKey,
  )
  const [selection, setSelection] = useState<Selection | null>(null)
  const blocked = chosen.ids.length === 0 || permit.refusal !== null
  const now = useNow()
  const longestMs = Math.max(0, ...steady.rows.map(({ item }) => now - Date.parse(item.acquiredAt)))

  return (
    <section
      aria-label="Table of locks"
      className="min-w-0 rounded-m border border-line bg-surface shadow-card"
    >
      <div className="flex flex-wrap items-center gap-2 px-3 py-2.5">
        {facets}
        <FreshPill fresh={steady.fresh} left={steady.left} onShow={steady.catchUp} />
      </div>
      {steady.rows.length === 0 ? (
        <NoLocks query={query} stores={stores} />
      ) : (
        <table className={classNames(tableClass, 'border-line border-t')}>
          <thead>
            <tr>
              <th scope="col" className={headClass('w-10 pr-0')}>
                <input
                  type="checkbox"
                  aria-label="Select all locks of this page"
                  checked={chosen.page}
                  onChange={chosen.togglePage}
                  className="block size-4 accent-accent-fill max-md:size-5"
                />
              </th>
              <th scope="col" className={headClass('w-24')}>
                Held
              </th>
              <th scope="col" className={headClass()}>
                Key
              </th>
              <th scope="col" className={headClass('max-lg:hidden')}>
                Holder
              </th>
              <th scope="col" className={headClass('max-md:hidden')}>
                Provider says
              </th>
              <th scope="col" className={headClass('max-md:hidden')}>
                Verdict
              </th>
            </tr>
          </thead>
          <tbody>
            {steady.rows.map(({ item, gone }) => (
              <LockLine
                key={item.id}
                lock={item}
                gone={gone}
                open={item.id === query.lock}
                selected={chosen.ids.includes(item.id)}
                onSelect={() => chosen.toggle(item.id)}
                longestMs={longestMs}
              />
            ))}
          </tbody>
        </table>
      )}
      <SelectionBar
        chosen={chosen}
        shown={steady.rows.length}
        matching={matching}
        noun="lock"
        freeze={() => freezeMatching(filter)}
        refusal={permit.refusal}
        limitNote={`More than ${BULK_MAX} in one act would need a second person, which acts on locks do not have: the others stay untouched, for the next ${BULK_MAX}.`}
      >
        <Button
          look={blocked ? 'plain' : 'primary'}
          aria-disabled={blocked}
          title={permit.refusal ?? undefined}
          onClick={() =>
            !blocked && setSelection({ filter: { ids: chosen.ids }, what: locksText(chosen.ids.length) })
          }
        >
          Resolve {chosen.ids.length === 0 ? 'locks' : locksText(chosen.ids.length)}…
        </Button>
      </SelectionBar>
      {(query.cursor !== null || next !== null) && (
        <div className="border-line border-t">
          <Pager shown={steady.rows.length} noun="lock" cursor={query.cursor} next={next} />
        </div>
      )}
      <ResolveDialog
        selection={selection}
        environment={permit.environment}
        onClose={() => setSelection(null)}
        onDone={chosen.keep}
      />
    </section>
  )
}

function NoLocks({ query, stores }: { query: Query; stores: StoreState }) {
  if (stores === 'not_connected') {
    return (
      <EmptyState kind="waiting" title="No store is connected yet">
        Locks appear once an idempotency store is read.{' '}
        <PageLink href="/sources" className="font-medium text-accent-ink hover:underline">
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
