import type { Metadata } from 'next'
import { Suspense } from 'react'
import type { UserContext } from '@/app/_server/context'
import { buttonClass } from '@/app/_ui/button'
import { CardFrame } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { FacetChip } from '@/app/_ui/facet-chips'
import { shortId } from '@/app/_ui/identifier'
import { KeyStateBadge } from '@/app/_ui/key-state'
import { KEY_STATE_LABEL } from '@/app/_ui/key-state-label'
import { ListTable } from '@/app/_ui/list-table'
import { PageLink } from '@/app/_ui/page-link'
import { SearchForm } from '@/app/_ui/search-field'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { scopeParts } from '@/lib/core/scope'
import { KEY_STATES } from '@/lib/core/states'
import { countKeys, type KeyFacets } from '@/lib/keys/count-keys'
import { type KeyFilter, type KeyView, listKeys } from '@/lib/keys/list-keys'
import { listScopes } from '@/lib/keys/list-scopes'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { nullOn, openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { isFiltered, loadQuery, type Query, toFilter } from './query'

export const metadata: Metadata = { title: 'Keys' }

const SEARCHED = [
  { name: 'key', label: 'Key', hint: 'a key or its beginning' },
  { name: 'reference', label: 'Reference', hint: 'order, invoice' },
  { name: 'effect', label: 'Provider reference', hint: 'ch_…, re_…' },
  { name: 'trace', label: 'Trace', hint: '32 hex digits' },
] as const
const ROWS_SHOWN = 50
/** A person does not wait longer for a list; the database ends it then. */
const SEARCH_TIMEOUT_MS = 4_000

export default async function KeysPage(props: PageProps) {
  const { ctx, asked, now } = await openPage('/keys', props)
  const query = await loadQuery(asked)
  const filter = toFilter(query)
  const page = { limit: ROWS_SHOWN, cursor: query.cursor ?? undefined }
  const [found, sources, scopes] = await Promise.all([
    listKeys(ctx, filter, page, { timeoutMs: SEARCH_TIMEOUT_MS }).catch(nullOn('timeout')),
    listSources(ctx.db, now),
    listScopes(ctx.db, now),
  ])
  const stores = sources.filter(({ kind }) => kind === 'intent')
  const rows = found?.items ?? []
  const facets = { query, scopes, stores }
  return (
    <Page
      title="Keys"
      summary={
        stores.length === 0
          ? 'No idempotency store is connected: nothing is known of keys.'
          : 'As they were last read from the stores, the last changed first.'
      }
      actions={
        <ExportButtons action="/keys/export" title="At most 10,000 keys; that you took them is recorded" />
      }
    >
      <CardFrame label="Table of keys">
        <SearchForm fields={SEARCHED.map((field) => ({ ...field, value: query[field.name] }))} />
        <ListTable
          caption="Idempotency keys"
          columns={COLUMNS}
          rows={rows}
          id={({ id }) => id}
          view={JSON.stringify(query)}
          toolbar={
            <Suspense key={JSON.stringify(query)} fallback={<Facets {...facets} counts={null} />}>
              <CountedFacets ctx={ctx} filter={filter} {...facets} />
            </Suspense>
          }
          empty={
            <NoKeys
              query={query}
              endedAfterMs={found === null ? SEARCH_TIMEOUT_MS : null}
              waiting={await nothingYet(ctx, query, rows, stores)}
            />
          }
          pages={{ noun: 'key', cursor: query.cursor, next: found?.next ?? null }}
        />
      </CardFrame>
    </Page>
  )
}

const COLUMNS: Column<KeyView>[] = [
  {
    head: 'Key',
    className: 'w-[38%] max-w-0 max-md:w-full',
    cell: ({ id, key, scope }) => {
      const { client, endpoint } = scopeParts(scope)
      return (
        <TwoLines below={`${endpoint} · ${client}`}>
          <RowLink to={`/keys/${id}`} title={key} className="truncate font-mono text-s">
            {shortId(key, 30, 4)}
          </RowLink>
        </TwoLines>
      )
    },
  },
  {
    head: 'State',
    cell: ({ state, status }) => (
      <>
        <KeyStateBadge state={state} />
        {status !== null && <span className="ml-2 text-ink-3 text-s max-md:hidden">{status}</span>}
      </>
    ),
  },
  figureColumn('Attempts', ({ attempts }) => attempts ?? '—', { from: 'md' }),
  {
    head: 'Reference',
    from: 'md',
    className: 'max-w-48 truncate font-mono text-s',
    cell: ({ reference }) => reference ?? '—',
  },
  figureColumn('First seen', ({ createdAt }) => <Time at={createdAt} kind="brief ago" />),
  figureColumn('Expires', ({ expiresAt }) => (expiresAt === null ? '—' : <Time at={expiresAt} />), {
    from: 'lg',
  }),
]

type FacetsProps = { query: Query; scopes: readonly string[]; stores: readonly SourceView[] }

/** Counting comes after the list, and never holds it up. */
async function CountedFacets({
  ctx,
  filter,
  ...facets
}: FacetsProps & { ctx: UserContext; filter: KeyFilter }) {
  return <Facets {...facets} counts={await countKeys(ctx, filter)} />
}

/** `counts`: null = still counting. */
function Facets({ query, scopes, stores, counts }: FacetsProps & { counts: KeyFacets | null }) {
  return (
    <>
      <FacetChip
        name="state"
        label="State"
        chosen={query.state}
        values={KEY_STATES.map((state) => ({
          value: state,
          label: KEY_STATE_LABEL[state],
          count: counts?.states?.[state] ?? null,
        }))}
      />
      <FacetChip name="scope" label="Scope" chosen={query.scope} values={scopes} />
      <FacetChip
        name="source"
        label="Store"
        chosen={query.source}
        values={stores.map(({ id, name }) => ({
          value: id,
          label: name,
          count: counts?.sources?.find(({ source }) => source === id) ?? null,
        }))}
      />
    </>
  )
}

/** Nothing was read from any store yet: another thing than nothing that matches. */
async function nothingYet(
  ctx: UserContext,
  query: Query,
  rows: readonly unknown[],
  stores: readonly SourceView[],
): Promise<'no_store' | 'no_key' | null> {
  if (rows.length > 0) return null
  if (stores.length === 0) return 'no_store'
  if (query.cursor !== null) return null
  const { items } = await listKeys(ctx, {}, { limit: 1 })
  return items.length === 0 ? 'no_key' : null
}

type NoKeysProps = {
  query: Query
  /** The search took too long; null = it was answered. */
  endedAfterMs: number | null
  waiting: 'no_store' | 'no_key' | null
}

/** Why the list has no row; each asks for something else. */
function NoKeys({ query, endedAfterMs, waiting }: NoKeysProps) {
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
