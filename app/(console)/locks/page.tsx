import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { FacetChip, ViewChip } from '@/app/_ui/facet-chips'
import { PageHeader } from '@/app/_ui/page-header'
import { Remember } from '../_shell/last-good'
import { BulkRuns } from './bulk-runs'
import { FailProposal } from './fail-proposal'
import { Guide } from './guide'
import { Inspector } from './inspector'
import { LocksTable } from './locks-table'
import { loadQuery, toFilter, VIEW_LABEL, VIEWS } from './query'
import { readLocksPage } from './read-locks'
import { SourceNotes } from './source-notes'
import { facetValues, storeStateOf, stuckFacts, stuckSentence, viewCounts } from './tally'

export const metadata: Metadata = { title: 'Locks' }
export const dynamic = 'force-dynamic'

const RESET = ['cursor', 'lock']
const CLEARED = Object.fromEntries(RESET.map((name) => [name, null]))

export default async function LocksPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/locks', asked)
  const query = await loadQuery(asked)
  const page = await readLocksPage(ctx, query)
  const counts = viewCounts(page.tallies, query)
  const facts = stuckFacts(page.tallies)
  const stores = storeStateOf(page.sources)
  const waiting = page.open?.waitingFail ?? null
  const nameOf = (id: string) => page.sources.find((source) => source.id === id)?.name ?? id
  return (
    <Remember>
      <div className="grid gap-3">
        <PageHeader
          title="Locks"
          summary={stuckSentence(facts, facts.sources.map(nameOf).join(', '), stores)}
          actions={
            <ExportButtons
              action="/locks/export"
              title="At most 10,000 locks; that you took them is recorded"
            />
          }
        />
        <SourceNotes sources={page.sources} />
        <BulkRuns runs={page.runs} refusal={page.permit.refusal} />
        <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_22rem]">
          <LocksTable
            rows={page.rows}
            next={page.next}
            query={query}
            filter={toFilter(query)}
            matching={counts[query.view]}
            permit={page.permit}
            stores={stores}
            facets={
              <>
                {VIEWS.map((view) => (
                  <ViewChip
                    key={view}
                    set={{ view, ...CLEARED }}
                    chosen={view === query.view}
                    label={VIEW_LABEL[view]}
                    count={counts[view]}
                  />
                ))}
                <FacetChip
                  name="endpoint"
                  label="Endpoint"
                  chosen={query.endpoint}
                  values={facetValues(page.tallies, query, 'endpoint')}
                  reset={RESET}
                />
                <FacetChip
                  name="client"
                  label="Client"
                  chosen={query.client}
                  values={facetValues(page.tallies, query, 'client')}
                  reset={RESET}
                />
              </>
            }
          />
          {query.lock === null ? (
            <Guide facts={facts} />
          ) : (
            <Inspector
              open={page.open}
              permit={page.permit}
              proposal={waiting === null ? null : <FailProposal waiting={waiting} />}
            />
          )}
        </div>
      </div>
    </Remember>
  )
}
