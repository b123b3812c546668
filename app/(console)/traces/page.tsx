import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip, ViewChip } from '@/app/_ui/facet-chips'
import { latencyText } from '@/app/_ui/format-figure'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink, QueryLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { SearchField } from '@/app/_ui/search-field'
import { ShortId } from '@/app/_ui/short-id'
import { StateMark } from '@/app/_ui/state-mark'
import { StillTable } from '@/app/_ui/still-table'
import { cellClass, headClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { AppError } from '@/lib/core/errors'
import type { Page } from '@/lib/core/pages'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { countTraces } from '@/lib/telemetry/read/traces/count-traces'
import { listTraces, type TraceRow } from '@/lib/telemetry/read/traces/list-traces'
import { freshnessNow, requestNow } from '../_shell/reads'
import { RangeText } from '../now/range-text'
import { BarNote } from './bar-note'
import { isFiltered, loadTraces, type TraceQuery, traceFilterOf, writeTraces } from './query'

export const metadata: Metadata = { title: 'Traces' }
export const dynamic = 'force-dynamic'

const TRACES_SHOWN = 50
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

const ENDPOINTS_OFFERED = 20

type Found = { kind: 'page'; page: Page<TraceRow> } | { kind: 'timeout'; why: string }

export default async function TracesPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/traces', asked)
  const now = await requestNow()
  const query = await loadTraces(asked)
  const range = resolveRange(await loadRange(asked), now)
  const [found, counted, endpoints, services] = await Promise.all([
    listTraces(ctx.db, traceFilterOf(query, range), query.sort, {
      limit: TRACES_SHOWN,
      cursor: query.cursor ?? undefined,
    }).then((page): Found => ({ kind: 'page', page }), timeoutOf),
    query.bar === null ? null : countTraces(ctx.db, traceFilterOf(query, range)).catch(nullOnTimeout),
    readEndpoints(ctx.db, { from: range.from, to: range.to, limit: ENDPOINTS_OFFERED }),
    freshnessNow(),
  ])
  const items = found.kind === 'page' ? found.page.items : []
  const names = [...new Set(endpoints.rows.map(({ endpoint }) => endpoint))]
  return (
    <div className="grid gap-3">
      <PageHeader
        title="Traces"
        beside={<RangeText from={range.from.toISOString()} to={range.to.toISOString()} live={range.live} />}
        summary="Requests that carried a key. Failed ones first, then the slow."
      />
      <BarNote query={query} count={counted} />
      <Card
        id="traces"
        title="Requests with a key"
        aside={query.sort === 'worst' ? 'failed and slow first' : 'newest first'}
      >
        <StillTable
          caption="Traces of requests with a key"
          view={writeTraces(query)}
          head={HEAD}
          rows={items.map((trace) => ({ id: trace.spanId, row: <Row key={trace.spanId} trace={trace} /> }))}
          toolbar={<Toolbar query={query} endpoints={names} />}
          empty={<NoTrace found={found} query={query} waiting={services.length === 0} />}
        />
        <Pager
          shown={items.length}
          noun="trace"
          cursor={query.cursor}
          next={found.kind === 'page' ? found.page.next : null}
        />
      </Card>
    </div>
  )
}

function nullOnTimeout(error: unknown): null {
  if (error instanceof AppError && error.code === 'timeout') return null
  throw error
}

function timeoutOf(error: unknown): Found {
  if (error instanceof AppError && error.code === 'timeout') return { kind: 'timeout', why: error.message }
  throw error
}

const HEAD = (
  <>
    <th scope="col" className={headClass()}>
      Request
    </th>
    <th scope="col" className={headClass()}>
      Outcome
    </th>
    <th scope="col" className={headClass('text-right')}>
      Took
    </th>
    <th scope="col" className={headClass('max-md:hidden')}>
      Service
    </th>
    <th scope="col" className={headClass('max-lg:hidden')}>
      Trace and key hash
    </th>
    <th scope="col" className={headClass('text-right max-md:hidden')}>
      Began
    </th>
  </>
)

function Toolbar({ query, endpoints }: { query: TraceQuery; endpoints: readonly string[] }) {
  return (
    <>
      <SearchField name="q" label="Search traces" placeholder="Trace id or key, whole" value={query.q} />
      <ViewChip
        set={{ failed: query.failed ? null : 'true', cursor: null }}
        chosen={query.failed}
        label="Failed only"
        count={null}
      />
      <ViewChip
        set={{ sort: query.sort === 'worst' ? 'newest' : null, cursor: null }}
        chosen={query.sort === 'newest'}
        label="Newest first"
        count={null}
      />
      <FacetChip
        name="outcome"
        label="Outcome"
        chosen={query.outcome}
        values={OUTCOMES.map((value) => ({ value, label: outcomeLook(value).label, count: null }))}
      />
      <FacetChip
        name="endpoint"
        label="Endpoint"
        chosen={query.endpoint}
        values={endpoints.map((value) => ({ value, label: value, count: null }))}
      />
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
    <EmptyState kind="filtered" title="No trace matches">
      Widen the range, or{' '}
      <QueryLink
        set={{ q: null, failed: null, outcome: null, endpoint: null, bar: null, counted: null, cursor: null }}
        className="text-accent-ink underline underline-offset-2"
      >
        clear the filters
      </QueryLink>
      .
    </EmptyState>
  )
}

function Row({ trace }: { trace: TraceRow }) {
  const look = outcomeLook(trace.outcome)
  return (
    <tr className="relative hover:bg-sunken">
      <td className={cellClass()}>
        <PageLink
          href={`/traces/${trace.traceId}?span=${trace.spanId}`}
          className="flex items-center gap-2 font-mono text-s after:absolute after:inset-0 hover:underline"
        >
          {trace.failed && <StateMark standing="bad" />}
          {trace.endpoint}
        </PageLink>
        <span className={secondLineClass}>
          {trace.client === '' ? 'unknown client' : trace.client}
          {trace.attempt !== null && `, attempt ${trace.attempt}`}
        </span>
      </td>
      <td className={cellClass()}>
        <span className="flex flex-wrap gap-1">
          <Badge tone={look.tone}>{look.label}</Badge>
          {trace.effectTwice && <Badge tone="bad">effect twice</Badge>}
        </span>
        <span className={secondLineClass}>
          {trace.statusCode === null ? 'no answer seen' : `HTTP ${trace.statusCode}`}
        </span>
      </td>
      <td className={cellClass('whitespace-nowrap text-right')}>{latencyText(trace.durationMs)}</td>
      <td className={cellClass('max-md:hidden')}>
        <span className="block">{trace.service}</span>
        <span className={secondLineClass}>{trace.version}</span>
      </td>
      <td className={cellClass('max-lg:hidden')}>
        <ShortId id={trace.traceId} className="block" />
        <ShortId id={trace.keyHash} className="block text-ink-3" />
      </td>
      <td className={cellClass('whitespace-nowrap text-right text-ink-2 max-md:hidden')}>
        <Time at={trace.time} kind="seconds" />
      </td>
    </tr>
  )
}
