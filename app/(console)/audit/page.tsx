import type { Metadata } from 'next'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { FacetChip } from '@/app/_ui/facet-chips'
import { ListTable } from '@/app/_ui/list-table'
import { QueryLink } from '@/app/_ui/page-link'
import { SearchField } from '@/app/_ui/search-field'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, RowLink, secondLineClass, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { countVerbs } from '@/lib/audit/count-verbs'
import { findEntry } from '@/lib/audit/find-entry'
import { type AuditView, listAudit } from '@/lib/audit/list'
import { nullOn, openPage, type PageProps } from '../_page/open-page'
import { BesideEachOther, Page } from '../_page/page-frame'
import { RangeText } from '../_page/range-text'
import { EntryCard, outcomeTone } from './entry-card'
import { auditFilterOf, isFiltered, loadAudit, writeAudit } from './query'
import { VerifyCard } from './verify-card'

export const metadata: Metadata = { title: 'Audit' }

const ENTRIES_SHOWN = 50
const OUTCOMES = ['done', 'proposed', 'approved', 'intent', 'refused', 'failed', 'unknown', 'rejected']
const UNFILTERED = { q: null, verb: null, subject: null, outcome: null, cursor: null }

export default async function AuditPage(props: PageProps) {
  const { ctx, asked, range } = await openPage('/audit', props)
  const query = await loadAudit(asked)
  const [page, verbs, open] = await Promise.all([
    listAudit(ctx.db, auditFilterOf(query, range), {
      limit: ENTRIES_SHOWN,
      cursor: query.cursor ?? undefined,
    }),
    countVerbs(ctx.db, range.from, range.to),
    query.open === null ? null : findEntry(ctx.db, query.open).catch(nullOn('not_found')),
  ])
  return (
    <Page
      title="Audit"
      summary={query.subject === null ? <RangeText range={range} /> : <SubjectText id={query.subject} />}
      actions={
        <ExportButtons
          action="/audit/export"
          title="At most 10,000 entries; that you took them is recorded"
        />
      }
    >
      <BesideEachOther
        sideFirst={open !== null}
        side={
          <>
            {open !== null && <EntryCard entry={open} />}
            <VerifyCard />
          </>
        }
      >
        <Card id="entries" title="Entries" aside="newest first">
          <ListTable
            caption="Audit entries, newest first"
            columns={columnsOf(query.open)}
            rows={page.items}
            id={({ id }) => id}
            look={({ id }) => ({ chosen: id === query.open })}
            view={writeAudit({ ...query, open: null })}
            toolbar={
              <>
                <SearchField
                  name="q"
                  label="Search the audit"
                  placeholder="Who, why, or an id"
                  value={query.q}
                />
                <FacetChip
                  name="verb"
                  label="Verb"
                  chosen={query.verb}
                  values={verbs.map(({ verb, count }) => ({ value: verb, count }))}
                />
                <FacetChip name="outcome" label="Outcome" chosen={query.outcome} values={OUTCOMES} />
              </>
            }
            empty={<NoEntry filtered={isFiltered(query)} />}
            pages={{ noun: 'entry', cursor: query.cursor, next: page.next }}
          />
        </Card>
      </BesideEachOther>
    </Page>
  )
}

const columnsOf = (open: string | null): Column<AuditView>[] => [
  { head: 'When', nowrap: true, cell: ({ at }) => <Time at={at} /> },
  {
    head: 'Who',
    from: 'md',
    className: 'max-w-44',
    cell: ({ actor, via }) => (
      <>
        <span className="block truncate" title={actor}>
          {actor}
        </span>
        <span className={secondLineClass} title={via}>
          {via}
        </span>
      </>
    ),
  },
  {
    head: 'What',
    cell: ({ id, verb, actor, subject }) => (
      <TwoLines
        below={
          <>
            <span className="md:hidden">{actor}</span>
            <ShortId id={subject} className="max-md:hidden" />
          </>
        }
      >
        <RowLink to={{ open: id }} open={id === open} className="font-medium">
          {verb}
        </RowLink>
      </TwoLines>
    ),
  },
  {
    head: 'Why',
    from: 'md',
    className: 'w-full max-w-0 truncate',
    title: ({ reason }) => reason ?? undefined,
    cell: ({ reason }) => reason ?? <span className="text-ink-3">no reason asked</span>,
  },
  { head: 'Outcome', cell: ({ outcome }) => <Badge tone={outcomeTone(outcome)}>{outcome}</Badge> },
]

function SubjectText({ id }: { id: string }) {
  return (
    <>
      All of <ShortId id={id} />, whenever it was.{' '}
      <QueryLink set={{ subject: null, cursor: null }} look="inline">
        Back to the range
      </QueryLink>
    </>
  )
}

function NoEntry({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <EmptyState kind="filtered" title="No entry matches" clear={UNFILTERED}>
      Widen the range, or take a filter away.
    </EmptyState>
  ) : (
    <EmptyState kind="none" title="Nobody changed anything in this range" />
  )
}
