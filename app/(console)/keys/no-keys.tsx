import { buttonClass } from '@/app/_ui/button'
import { EmptyState } from '@/app/_ui/empty-state'
import { PageLink } from '@/app/_ui/page-link'
import { isFiltered, type Query } from './query'

type Props = {
  query: Query
  /** The search took too long; null = it was answered. */
  endedAfterMs: number | null
  waiting: 'no_store' | 'no_key' | null
}

/** Why the list has no row; each asks for something else. */
export function NoKeys({ query, endedAfterMs, waiting }: Props) {
  if (endedAfterMs !== null) {
    return (
      <EmptyState kind="timeout" title={`The search was ended after ${endedAfterMs / 1000} s`}>
        It matched too little among too much. Name the key, a reference or a scope; the database works on it
        no more.
      </EmptyState>
    )
  }
  if (waiting === 'no_store') {
    return (
      <EmptyState kind="waiting" title="No store is connected yet">
        Keys appear once a store is read.{' '}
        <PageLink href="/sources" look="link">
          Connect one in Sources.
        </PageLink>
      </EmptyState>
    )
  }
  if (waiting === 'no_key') {
    return (
      <EmptyState kind="waiting" title="Waiting for the first key">
        The store is connected and has no key yet. The first one appears here by itself.
      </EmptyState>
    )
  }
  if (query.cursor !== null && !isFiltered(query)) {
    return <EmptyState kind="none" title="No more keys" />
  }
  return (
    <EmptyState kind="filtered" title="No key matches">
      <p className="mb-3">A key is found by its beginning, a reference by the whole of it.</p>
      <PageLink href="/keys" className={buttonClass()}>
        Clear the filters
      </PageLink>
    </EmptyState>
  )
}
