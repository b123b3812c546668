import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { Suspense } from 'react'
import type { UserContext } from '@/app/_server/context'
import { guardPage } from '@/app/_server/page-guard'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { PageHeader } from '@/app/_ui/page-header'
import { Pager } from '@/app/_ui/pager'
import { StillTable } from '@/app/_ui/still-table'
import { headClass } from '@/app/_ui/table'
import { AppError } from '@/lib/core/errors'
import { countKeys } from '@/lib/keys/count-keys'
import { type KeyFilter, listKeys } from '@/lib/keys/list-keys'
import { listScopes } from '@/lib/keys/list-scopes'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { Remember } from '../_shell/last-good'
import { requestNow } from '../_shell/reads'
import { KeyFacets } from './key-facets'
import { KeyLine } from './key-line'
import { NoKeys } from './no-keys'
import { loadQuery, type Query, toFilter } from './query'
import { SearchForm } from './search-form'

export const metadata: Metadata = { title: 'Keys' }
export const dynamic = 'force-dynamic'

const ROWS_SHOWN = 50
/** A person does not wait longer for a list; the database ends it then. */
const SEARCH_TIMEOUT_MS = 4_000

export default async function KeysPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/keys', asked)
  const query = await loadQuery(asked)
  const filter = toFilter(query)
  const now = await requestNow()
  const [found, sources, scopes] = await Promise.all([
    search(ctx, filter, query),
    listSources(ctx.db, now),
    listScopes(ctx.db, now),
  ])
  const stores = sources.filter(({ kind }) => kind === 'intent')
  const rows = found.kind === 'found' ? found.items : []
  const facets = { query, scopes, stores: stores.map(({ id, name }) => ({ id, name })) }
  return (
    <Remember>
      <div className="grid gap-3">
        <PageHeader
          title="Keys"
          summary="As they were last read from the stores, the last changed first."
          actions={
            <ExportButtons
              action="/keys/export"
              title="At most 10,000 keys; that you took them is recorded"
            />
          }
        />
        <section
          aria-label="Table of keys"
          className="min-w-0 rounded-m border border-line bg-surface shadow-card"
        >
          <SearchForm query={query} />
          <StillTable
            caption="Idempotency keys"
            view={JSON.stringify(query)}
            head={<Head />}
            rows={rows.map((row) => ({ id: row.id, row: <KeyLine key={row.id} row={row} /> }))}
            toolbar={
              <Suspense key={JSON.stringify(query)} fallback={<KeyFacets {...facets} counts={null} />}>
                <CountedFacets ctx={ctx} filter={filter} facets={facets} />
              </Suspense>
            }
            empty={
              <NoKeys query={query} found={found} waiting={await nothingYet(ctx, query, rows, stores)} />
            }
          />
          {found.kind === 'found' && (
            <Pager shown={rows.length} noun="key" cursor={query.cursor} next={found.next} />
          )}
        </section>
      </div>
    </Remember>
  )
}

function Head() {
  return (
    <>
      <th scope="col" className={headClass()}>
        Key
      </th>
      <th scope="col" className={headClass()}>
        State
      </th>
      <th scope="col" className={headClass('text-right max-md:hidden')}>
        Attempts
      </th>
      <th scope="col" className={headClass('max-md:hidden')}>
        Reference
      </th>
      <th scope="col" className={headClass('text-right')}>
        First seen
      </th>
      <th scope="col" className={headClass('text-right max-lg:hidden')}>
        Expires
      </th>
    </>
  )
}

type Found = ({ kind: 'found' } & Awaited<ReturnType<typeof listKeys>>) | { kind: 'timeout'; limitMs: number }

async function search(ctx: UserContext, filter: KeyFilter, query: Query): Promise<Found> {
  const page = { limit: ROWS_SHOWN, cursor: query.cursor ?? undefined }
  try {
    return { kind: 'found', ...(await listKeys(ctx, filter, page, { timeoutMs: SEARCH_TIMEOUT_MS })) }
  } catch (error) {
    if (error instanceof AppError && error.code === 'timeout')
      return { kind: 'timeout', limitMs: SEARCH_TIMEOUT_MS }
    throw error
  }
}

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
