import type { Metadata } from 'next'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip, ViewChip } from '@/app/_ui/facet-chips'
import { ListTable } from '@/app/_ui/list-table'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { QueryLink } from '@/app/_ui/page-link'
import { SearchField } from '@/app/_ui/search-field'
import { ShortId } from '@/app/_ui/short-id'
import { StateMark } from '@/app/_ui/state-mark'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { AppError } from '@/lib/core/errors'
import { countText, latencyText, plural } from '@/lib/core/format-figure'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { countTraces, TRACES_COUNTED_MAX } from '@/lib/telemetry/read/traces/count-traces'
import { listTraces, type TraceRow } from '@/lib/telemetry/read/traces/list-traces'
import { nullOn, openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { RangeText } from '../_page/range-text'
import { freshnessNow } from '../_shell/reads'
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
  'held',
]
const UNFILTERED = {
  ...{ q: null, failed: null, outcome: null, endpoint: null },
  ...{ bar: null, counted: null, cursor: null },
}

export default async function TracesPage(props: PageProps) {
  const { ctx, asked, range } = await openPage('/traces', props)
  const query = await loadTraces(asked)
  const filter = traceFilterOf(query, range)
  const page = { limit: TRACES_SHOWN, cursor: query.cursor ?? undefined }
  const [found, counted, endpoints, services] = await Promise.all([
    listTraces(ctx.db, filter, query.sort, page).catch(whyTimeout),
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
          rows={typeof found === 'string' ? [] : found.items}
          id={({ spanId }) => spanId}
          view={writeTraces(query)}
          toolbar={
            <Toolbar query={query} endpoints={[...new Set(endpoints.rows.map(({ endpoint }) => endpoint))]} />
          }
          empty={
            <NoTrace
              tooSlow={typeof found === 'string' ? found : null}
              query={query}
              waiting={services.length === 0}
            />
          }
          pages={{ noun: 'trace', cursor: query.cursor, next: typeof found === 'string' ? null : found.next }}
        />
      </Card>
    </Page>
  )
}

function whyTimeout(error: unknown): string {
  if (error instanceof AppError && error.code === 'timeout') return error.message
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
          className="flex! items-center gap-2 wrap-anywhere font-mono text-s"
        >
          {failed && <StateMark standing="bad" says="Failed" />}
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
  figureColumn('Took', ({ durationMs }) => latencyText(durationMs)),
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
  figureColumn('Began', ({ time }) => <Time at={time} kind="seconds" />, {
    from: 'md',
    className: 'text-ink-2',
  }),
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

function NoTrace(props: { tooSlow: string | null; query: TraceQuery; waiting: boolean }) {
  if (props.tooSlow !== null)
    return (
      <EmptyState kind="timeout" title="The search took too long">
        {props.tooSlow}
      </EmptyState>
    )
  if (props.waiting) return <EmptyState kind="waiting" title="Waiting for the first span" />
  if (!isFiltered(props.query)) return <EmptyState kind="none" title="No request with a key in this range" />
  return (
    <EmptyState kind="filtered" title="No trace matches" clear={UNFILTERED}>
      Widen the range, or take a filter away.
    </EmptyState>
  )
}

const BAR_TEXT: Record<NonNullable<TraceQuery['bar']>, string> = {
  all: 'All requests with a key',
  executed: 'Executed once',
  replayed: 'Replayed',
  conflict: 'In conflict',
  held: 'Held by an operator',
  other: 'Store not asked or failed',
  again: 'Executed again',
}

/** The list behind a bar of a chart: as many as the bar counted, or why not. `count` null = not counted in time. */
function BarNote({ query, count }: { query: TraceQuery; count: number | null }) {
  if (query.bar === null) return null
  return (
    <p role="status" className="rounded-m border border-line bg-surface px-4 py-2 shadow-card">
      <b className="font-semibold">{BAR_TEXT[query.bar]}</b>: {sayCount(count, query.counted)}{' '}
      <QueryLink set={{ bar: null, counted: null, cursor: null }} look="link">
        All of this range
      </QueryLink>
    </p>
  )
}

function sayCount(count: number | null, counted: number | null): string {
  if (count === null) return 'they could not be counted in time.'
  const found = count >= TRACES_COUNTED_MAX ? `≥ ${plural(count, 'request')}` : plural(count, 'request')
  if (counted === null) return `${found}.`
  if (counted === count) return `${found}, as the bar counted.`
  if (count >= TRACES_COUNTED_MAX) return `${found}; the bar counted ${countText(counted)}.`
  return count > counted
    ? `${found}; the bar counted ${countText(counted)} when it was drawn, and spans that come late are added to their minute.`
    : `${found}; the bar counted ${countText(counted)}, and spans are kept a shorter time than counts.`
}
