import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { FacetChip } from '@/app/_ui/facet-chips'
import { PageHeader } from '@/app/_ui/page-header'
import { QueryLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { SearchField } from '@/app/_ui/search-field'
import { ShortId } from '@/app/_ui/short-id'
import { StillTable } from '@/app/_ui/still-table'
import { cellClass, headClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { countVerbs } from '@/lib/audit/count-verbs'
import { findEntry } from '@/lib/audit/find-entry'
import { type AuditView, listAudit } from '@/lib/audit/list'
import { AppError } from '@/lib/core/errors'
import { requestNow } from '../_shell/reads'
import { RangeText } from '../now/range-text'
import { EntryCard } from './entry-card'
import { type AuditQuery, auditFilterOf, isFiltered, loadAudit, writeAudit } from './query'
import { VerifyCard } from './verify-card'
import { outcomeTone } from './words'

export const metadata: Metadata = { title: 'Audit' }
export const dynamic = 'force-dynamic'

const ENTRIES_SHOWN = 50

export default async function AuditPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/audit', asked)
  const query = await loadAudit(asked)
  const range = resolveRange(await loadRange(asked), await requestNow())
  const [page, verbs, open] = await Promise.all([
    listAudit(ctx.db, auditFilterOf(query, range), {
      limit: ENTRIES_SHOWN,
      cursor: query.cursor ?? undefined,
    }),
    countVerbs(ctx.db, range.from, range.to),
    query.open === null ? null : findEntry(ctx.db, query.open).catch(nullWhenMissing),
  ])
  return (
    <div className="grid gap-3">
      <PageHeader
        title="Audit"
        summary={
          query.subject === null ? (
            <RangeText from={range.from.toISOString()} to={range.to.toISOString()} live={range.live} />
          ) : (
            <>
              All of <ShortId id={query.subject} />, whenever it was.{' '}
              <QueryLink
                set={{ subject: null, cursor: null }}
                className="text-accent-ink underline underline-offset-2"
              >
                Back to the range
              </QueryLink>
            </>
          )
        }
        actions={
          <ExportButtons
            action="/audit/export"
            title="At most 10,000 entries; that you took them is recorded"
          />
        }
      />
      <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_352px] [&>*]:min-w-0">
        <Card id="entries" title="Entries" aside="newest first">
          <StillTable
            caption="Audit entries, newest first"
            view={writeAudit({ ...query, open: null })}
            head={HEAD}
            rows={page.items.map((entry) => ({
              id: entry.id,
              row: <Row key={entry.id} entry={entry} chosen={entry.id === query.open} />,
            }))}
            toolbar={<Toolbar query={query} verbs={verbs} />}
            empty={<NoEntry query={query} />}
          />
          <Pager shown={page.items.length} noun="entry" cursor={query.cursor} next={page.next} />
        </Card>
        <div className={`grid min-w-0 gap-3 ${open === null ? '' : 'max-xl:order-first'}`}>
          {open !== null && <EntryCard entry={open} />}
          <VerifyCard />
        </div>
      </div>
    </div>
  )
}

function nullWhenMissing(error: unknown): null {
  if (error instanceof AppError && error.code === 'not_found') return null
  throw error
}

const HEAD = (
  <>
    <th scope="col" className={headClass()}>
      When
    </th>
    <th scope="col" className={headClass('max-md:hidden')}>
      Who
    </th>
    <th scope="col" className={headClass()}>
      What
    </th>
    <th scope="col" className={headClass('max-md:hidden')}>
      Why
    </th>
    <th scope="col" className={headClass()}>
      Outcome
    </th>
  </>
)

function Toolbar({ query, verbs }: { query: AuditQuery; verbs: { verb: string; count: number }[] }) {
  return (
    <>
      <SearchField name="q" label="Search the audit" placeholder="Who, why, or an id" value={query.q} />
      <FacetChip
        name="verb"
        label="Verb"
        chosen={query.verb}
        values={verbs.map(({ verb, count }) => ({ value: verb, label: verb, count }))}
      />
      <FacetChip
        name="outcome"
        label="Outcome"
        chosen={query.outcome}
        values={['done', 'proposed', 'approved', 'intent', 'refused', 'failed', 'unknown', 'rejected'].map(
          (value) => ({
            value,
            label: value,
            count: null,
          }),
        )}
      />
    </>
  )
}

function NoEntry({ query }: { query: AuditQuery }) {
  return isFiltered(query) ? (
    <EmptyState kind="filtered" title="No entry matches">
      Widen the range, or{' '}
      <QueryLink
        set={{ q: null, verb: null, subject: null, outcome: null, cursor: null }}
        className="text-accent-ink underline underline-offset-2"
      >
        clear the filters
      </QueryLink>
      .
    </EmptyState>
  ) : (
    <EmptyState kind="none" title="Nobody changed anything in this range" />
  )
}

function Row({ entry, chosen }: { entry: AuditView; chosen: boolean }) {
  return (
    <tr className={chosen ? 'relative bg-accent-soft' : 'relative hover:bg-sunken'}>
      <td className={cellClass('whitespace-nowrap')}>
        <Time at={entry.at} />
      </td>
      <td className={cellClass('max-w-44 max-md:hidden')}>
        <span className="block truncate" title={entry.actor}>
          {entry.actor}
        </span>
        <span className={secondLineClass} title={entry.via}>
          {entry.via}
        </span>
      </td>
      <td className={cellClass()}>
        <QueryLink
          set={{ open: entry.id }}
          scroll={false}
          aria-current={chosen ? 'true' : undefined}
          className="font-medium after:absolute after:inset-0 hover:underline"
        >
          {entry.verb}
        </QueryLink>
        <span className={secondLineClass}>
          <span className="md:hidden">{entry.actor}</span>
          <ShortId id={entry.subject} className="max-md:hidden" />
        </span>
      </td>
      <td className={cellClass('w-full max-w-0 max-md:hidden')}>
        <span className="block truncate" title={entry.reason ?? undefined}>
          {entry.reason ?? <span className="text-ink-3">no reason asked</span>}
        </span>
      </td>
      <td className={cellClass()}>
        <Badge tone={outcomeTone(entry.outcome)}>{entry.outcome}</Badge>
      </td>
    </tr>
  )
}
