import { PageLink } from '@/app/_ui/page-link'
import { type Column, figureColumn, RowLink } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { ENDPOINTS_SHOWN, type NowData } from '@/lib/alerts/now/read-now'
import { countText, latencyText, percentText } from '@/lib/core/format-figure'
import type { EndpointRow } from '@/lib/telemetry/read/requests/endpoints'

export function EndpointsCard({ data }: { data: NowData }) {
  const { total, rows, service } = data.endpoints
  const aside = total > rows.length ? `top ${rows.length} of ${countText(total)}` : `all ${countText(total)}`
  return (
    <TableCard
      id="endpoints"
      title={service === null ? 'Endpoints by duplicate rate' : `Endpoints of ${service}, by version`}
      aside={rows.length > 0 && aside}
      scrolls="Table of endpoints"
      className="whitespace-nowrap [&_:is(td,th)]:px-2"
      lines={1}
      columns={COLUMNS}
      rows={rows}
      rowId={({ endpoint, service, version }) => `${endpoint} ${service} ${version}`}
      empty={
        <p className="px-4 pt-2 pb-4 text-ink-2" style={{ minHeight: 36 * (ENDPOINTS_SHOWN + 1) }}>
          No request of a keyed route in this range.
        </p>
      }
    >
      {service !== null && (
        <p className="px-4 pt-1 pb-3 text-s">
          <PageLink href="/now#endpoints">All services</PageLink>
        </p>
      )}
    </TableCard>
  )
}

/** Where there is little room a short word has to do. */
const short = (head: string, word: string) => (
  <>
    <span className="max-2xl:sr-only">{head}</span>
    <span className="2xl:hidden" aria-hidden="true" title={head}>
      {word}
    </span>
  </>
)

const Service = ({ service, version }: EndpointRow) => (
  <>
    {service} <span className="text-ink-3">{version}</span>
  </>
)

const COLUMNS: Column<EndpointRow>[] = [
  {
    head: 'Endpoint',
    names: true,
    className: 'max-md:whitespace-normal max-md:py-1.5',
    cell: (row) => (
      <>
        <RowLink
          to={`/traces?${new URLSearchParams({ endpoint: row.endpoint })}`}
          className="font-mono text-s"
        >
          {row.endpoint}
        </RowLink>
        <span className="block text-ink-2 text-xs md:hidden">
          <Service {...row} /> · {countText(row.keyedRequests)} keyed
          {row.p95Ms !== null && ` · P95 ${latencyText(row.p95Ms)}`}
        </span>
      </>
    ),
  },
  { head: 'Service', from: 'md', cell: Service },
  figureColumn('Keyed requests', ({ keyedRequests }) => countText(keyedRequests), {
    shown: short('Keyed requests', 'Keyed'),
    from: 'md',
  }),
  figureColumn(
    'Duplicates',
    ({ duplicates, keyedRequests }) => `${percentText(duplicates / keyedRequests)} %`,
    {
      title: ({ duplicates, keyedRequests }) =>
        `${countText(duplicates)} of ${countText(keyedRequests)} keyed requests`,
    },
  ),
  figureColumn('Effects twice', ({ effectsTwice }) => countText(effectsTwice), {
    shown: short('Effects twice', 'Twice'),
    className: ({ effectsTwice }) => (effectsTwice > 0 ? 'font-semibold text-bad-ink' : undefined),
  }),
  figureColumn(
    'P95',
    ({ p95Ms }) => (p95Ms === null ? <span className="text-ink-3">not measured</span> : latencyText(p95Ms)),
    { from: 'md' },
  ),
]
