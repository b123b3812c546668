import type { Metadata } from 'next'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip, ViewChip } from '@/app/_ui/facet-chips'
import { ListTable } from '@/app/_ui/list-table'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { SearchField } from '@/app/_ui/search-field'
import { ShortId } from '@/app/_ui/short-id'
import { StateMark } from '@/app/_ui/state-mark'
import { type Column, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { AppError } from '@/lib/core/errors'
import { latencyText } from '@/lib/core/format-figure'
import type { Page as RowPage } from '@/lib/core/pages'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { countTraces } from '@/lib/telemetry/read/traces/count-traces'
import { listTraces, type TraceRow } from '@/lib/telemetry/read/traces/list-traces'
import { nullOn, openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { RangeText } from '../_page/range-text'
import { freshnessNow } from '../_shell/reads'
import { BarNote } from './bar-note'
import { isFiltered, loadTraces, type TraceQuery, traceFilterOf, writeTraces } from './query'

export const metadata: Metadata = { title: 'Traces' }

const TRACES_SHOWN = 50
const ENDPOINTS_OFFERED = 20
const OUTCOMES = [
  'executed',
  'replayed',
  'in_progress',
  'mismatch',
  'waited',
  'takeover',
  'bypassed',
  'stale',
  'store_error',
]
const UNFILTERED = {
  ...{ q: null, failed: null, outcome: null, endpoint: null },
  ...{ bar: null, counted: null, cursor: null },
}

type Found = { kind: 'page'; page: RowPage<TraceRow> } | { kind: 'timeout'; why: string }

export default async function TracesPage(props: PageProps) {
  const { ctx, asked, range } = await openPage('/traces', props)
  const query = await loadTraces(asked)
  const filter = traceFilterOf(query, range)
  const page = { limit: TRACES_SHOWN, cursor: query.cursor ?? undefined }
  const [found, counted, endpoints, services] = await Promise.all([
    listTraces(ctx.db, filter, query.sort, page).then(
      (rows): Found => ({ kind: 'page', page: rows }),
      timeoutOf,
    ),
    query.bar === null ? null : countTraces(ctx.db, filter).catch(nullOn('timeout')),
    readEndpoints(ctx.db, { from: range.from, to: range.to, limit: ENDPOINTS_OFFERED }),
    freshnessNow(),
  ])
  return (
    <Page
      title="Traces"
      beside={<RangeText range={range} />}
      summary="Requests that carried a key. Failed ones first, then the slow."
    >
      <BarNote query={query} count={counted} />
      <Card
        id="traces"
        title="Requests with a key"
        aside={query.sort === 'worst' ? 'failed and slow first' : 'newest first'}
      >
        <ListTable
          caption="Traces of requests with a key"
          columns={COLUMNS}
          rows={found.kind === 'page' ? found.page.items : []}
          id={({ spanId }) => spanId}
          view={writeTraces(query)}
          toolbar={
            <Toolbar query={query} endpoints={[...new Set(endpoints.rows.map(({ endpoint }) => endpoint))]} />
          }
          empty={<NoTrace found={found} query={query} waiting={services.length === 0} />}
          pages={{
            noun: 'trace',
            cursor: query.cursor,
            next: found.kind === 'page' ? found.page.next : null,
          }}
        />
      </Card>
    </Page>
  )
}

function timeoutOf(error: unknown): Found {
  if (error instanceof AppError && error.code === 'timeout') return { kind: 'timeout', why: error.message }
  throw error
}

const COLUMNS: Column<TraceRow>[] = [
  {
    head: 'Request',
    cell: ({ traceId, spanId, failed, endpoint, client, attempt }) => (
      <TwoLines
        below={`${client === '' ? 'unknown client' : client}${attempt === null ? '' : `, attempt ${attempt}`}`}
      >
        <RowLink
          to={`/traces/${traceId}?span=${spanId}`}
          className="flex! items-center gap-2 font-mono text-s"
        >
          {failed && <StateMark standing="bad" />}
          {endpoint}
        </RowLink>
      </TwoLines>
    ),
  },
  {
    head: 'Outcome',
    cell: ({ outcome, effectTwice, statusCode }) => (
      <TwoLines below={statusCode === null ? 'no answer seen' : `HTTP ${statusCode}`}>
        <span className="flex flex-wrap gap-1">
          <Badge tone={outcomeLook(outcome).tone}>{outcomeLook(outcome).label}</Badge>
          {effectTwice && <Badge tone="bad">effect twice</Badge>}
        </span>
      </TwoLines>
    ),
  },
  { head: 'Took', align: 'right', nowrap: true, cell: ({ durationMs }) => latencyText(durationMs) },
  {
    head: 'Service',
    from: 'md',
    cell: ({ service, version }) => <TwoLines below={version}>{service}</TwoLines>,
  },
  {
    head: 'Trace and key hash',
    from: 'lg',
    cell: ({ traceId, keyHash }) => (
      <>
        <ShortId id={traceId} className="block" />
        <ShortId id={keyHash} className="block text-ink-3" />
      </>
    ),
  },
  {
    head: 'Began',
    align: 'right',
    from: 'md',
    nowrap: true,
    className: 'text-ink-2',
    cell: ({ time }) => <Time at={time} kind="seconds" />,
  },
]

function Toolbar({ query, endpoints }: { query: TraceQuery; endpoints: readonly string[] }) {
  const newest = query.sort === 'newest'
  return (
    <>
      <SearchField name="q" label="Search traces" placeholder="Trace id or key, whole" value={query.q} />
      <ViewChip
        set={{ failed: query.failed ? null : 'true', cursor: null }}
        chosen={query.failed}
        label="Failed only"
      />
      <ViewChip set={{ sort: newest ? null : 'newest', cursor: null }} chosen={newest} label="Newest first" />
      <FacetChip
        name="outcome"
        label="Outcome"
        chosen={query.outcome}
        values={OUTCOMES.map((value) => ({ value, label: outcomeLook(value).label }))}
      />
      <FacetChip name="endpoint" label="Endpoint" chosen={query.endpoint} values={endpoints} />
    </>
  )
}

function NoTrace({ found, query, waiting }: { found: Found; query: TraceQuery; waiting: boolean }) {
  if (found.kind === 'timeout')
    return (
      <EmptyState kind="timeout" title="The search took too long">
        {found.why}
      </EmptyState>
    )
  if (waiting) return <EmptyState kind="waiting" title="Waiting for the first span" />
  if (!isFiltered(query)) return <EmptyState kind="none" title="No request with a key in this range" />
  return (
    <EmptyState kind="filtered" title="No trace matches" clear={UNFILTERED}>
      Widen the range, or take a filter away.
    </EmptyState>
  )
}
