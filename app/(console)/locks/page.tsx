import type { Metadata } from 'next'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { FacetChip, ViewChip } from '@/app/_ui/facet-chips'
import {
  countByColumn,
  countByGroup,
  countStuck,
  LOCK_GROUP_NAMES,
  type LockGroup,
} from '@/lib/locks/count-locks'
import { stuckSentence } from '@/lib/locks/describe-locks'
import { storeStateOf } from '@/lib/mirror/read/list-sources'
import { BulkRuns } from '../_page/bulk-runs'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { Guide } from './guide'
import { LocksTable } from './locks-table'
import { FailProposal } from './open/fail-proposal'
import { Inspector } from './open/inspector'
import { loadQuery, toFilter } from './query'
import { readLocksPage } from './read-locks'
import { SourceNotes } from './source-notes'

export const metadata: Metadata = { title: 'Locks' }

const VIEW_LABEL: Record<LockGroup, string> = {
  stuck: 'Stuck',
  held: 'Held',
  unknown: 'Unknown',
  retryable: 'Retryable',
}
const RESET = ['cursor', 'lock']
const FACETS = [
  { name: 'endpoint', label: 'Endpoint' },
  { name: 'client', label: 'Client' },
] as const
const CLEARED = Object.fromEntries(RESET.map((name) => [name, null]))

export default async function LocksPage(props: PageProps) {
  const { ctx, asked } = await openPage('/locks', props)
  const query = await loadQuery(asked)
  const page = await readLocksPage(ctx, query)
  const counts = countByGroup(page.tallies, query)
  const facts = countStuck(page.tallies)
  const stores = storeStateOf(page.sources)
  const waiting = page.open?.waitingFail ?? null
  const nameOf = (id: string) => page.sources.find((source) => source.id === id)?.name ?? id
  return (
    <Page
      title="Locks"
      summary={stuckSentence(facts, facts.sources.map(nameOf).join(', '), stores, page.unlisted.length > 0)}
      actions={
        <ExportButtons action="/locks/export" title="At most 10,000 locks; that you took them is recorded" />
      }
    >
      <SourceNotes sources={page.sources} unlisted={page.unlisted} />
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
              {LOCK_GROUP_NAMES.map((view) => (
                <ViewChip
                  key={view}
                  set={{ view, ...CLEARED }}
                  chosen={view === query.view}
                  label={VIEW_LABEL[view]}
                  count={stores === 'read' ? counts[view] : null}
                />
              ))}
              {FACETS.map(({ name, label }) => (
                <FacetChip
                  key={name}
                  name={name}
                  label={label}
                  chosen={query[name]}
                  values={countByColumn(page.tallies, { ...query, group: query.view }, name)}
                  reset={RESET}
                />
              ))}
            </>
          }
        />
        {query.lock === null ? (
          <Guide counts={stores === 'read' ? facts.byVerdict : null} />
        ) : (
          <Inspector
            open={page.open}
            permit={page.permit}
            proposal={waiting === null ? null : <FailProposal waiting={waiting} />}
          />
        )}
      </div>
    </Page>
  )
}
