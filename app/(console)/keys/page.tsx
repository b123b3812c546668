import type { Metadata } from 'next'
import { Suspense } from 'react'
import type { UserContext } from '@/app/_server/context'
import { CardFrame } from '@/app/_ui/card'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { shortId } from '@/app/_ui/identifier'
import { KeyStateBadge } from '@/app/_ui/key-state'
import { ListTable } from '@/app/_ui/list-table'
import { type Column, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { scopeParts } from '@/lib/core/scope'
import { countKeys } from '@/lib/keys/count-keys'
import { type KeyFilter, type KeyView, listKeys } from '@/lib/keys/list-keys'
import { listScopes } from '@/lib/keys/list-scopes'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { nullOn, openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { KeyFacets } from './key-facets'
import { NoKeys } from './no-keys'
import { loadQuery, type Query, toFilter } from './query'
import { SearchForm } from './search-form'

export const metadata: Metadata = { title: 'Keys' }

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
  const facets = { query, scopes, stores: stores.map(({ id, name }) => ({ id, name })) }
  return (
    <Page
      title="Keys"
      summary="As they were last read from the stores, the last changed first."
      actions={
        <ExportButtons action="/keys/export" title="At most 10,000 keys; that you took them is recorded" />
      }
    >
      <CardFrame label="Table of keys">
        <SearchForm query={query} />
        <ListTable
          caption="Idempotency keys"
          columns={COLUMNS}
          rows={rows}
          id={({ id }) => id}
          view={JSON.stringify(query)}
          toolbar={
            <Suspense key={JSON.stringify(query)} fallback={<KeyFacets {...facets} counts={null} />}>
              <CountedFacets ctx={ctx} filter={filter} facets={facets} />
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
  { head: 'Attempts', align: 'right', from: 'md', cell: ({ attempts }) => attempts ?? '—' },
  {
    head: 'Reference',
    from: 'md',
    className: 'max-w-48 truncate font-mono text-s',
    cell: ({ reference }) => reference ?? '—',
  },
  {
    head: 'First seen',
    align: 'right',
    nowrap: true,
    cell: ({ createdAt }) => (
      <>
        <Time at={createdAt} kind="age" />
        <span className="max-md:hidden"> ago</span>
      </>
    ),
  },
  {
    head: 'Expires',
    align: 'right',
    from: 'lg',
    nowrap: true,
    cell: ({ expiresAt }) => (expiresAt === null ? '—' : <Time at={expiresAt} />),
  },
]

/** Counting comes after the list, and never holds it up. */
async function CountedFacets({
  ctx,
  filter,
  facets,
}: {
  ctx: UserContext
  filter: KeyFilter
  facets: Omit<Parameters<typeof KeyFacets>[0], 'counts'>
}) {
  return <KeyFacets {...facets} counts={await countKeys(ctx, filter)} />
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
