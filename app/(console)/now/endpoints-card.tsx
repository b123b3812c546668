import { Card } from '@/app/_ui/card'
import { classNames } from '@/app/_ui/class-names'
import { countText, latencyText, percentText } from '@/app/_ui/format-figure'
import { PageLink } from '@/app/_ui/page-link'
import type { EndpointRow } from '@/lib/telemetry/read/requests/endpoints'
import { ENDPOINTS_SHOWN, type NowData } from './read-now'

const FIGURE = 'h-9 px-2 text-right last:pr-4'

/** Where there is little room the short word has to do. */
const COLUMNS = [
  { long: 'Keyed requests', short: 'Keyed', wideOnly: true },
  { long: 'Duplicates', short: 'Duplicates', wideOnly: false },
  { long: 'Effects twice', short: 'Twice', wideOnly: false },
  { long: 'P95', short: 'P95', wideOnly: true },
] as const

export function EndpointsCard({ data }: { data: NowData }) {
  const { total, rows } = data.endpoints
  const aside = total > rows.length ? `top ${rows.length} of ${countText(total)}` : `all ${countText(total)}`
  return (
    <Card id="endpoints" title="Endpoints by duplicate rate" aside={rows.length === 0 ? undefined : aside}>
      {rows.length === 0 ? (
        <p className="px-4 pt-2 pb-4 text-ink-2" style={{ minHeight: 36 * (ENDPOINTS_SHOWN + 1) }}>
          No request of a keyed route in this range.
        </p>
      ) : (
        // Positioned, so that what is for screen readers alone scrolls with it and does not widen the page.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="relative overflow-x-auto pb-1" aria-label="Table of endpoints" tabIndex={0}>
          <table className="w-full whitespace-nowrap">
            <thead className="text-ink-2 text-s">
              <tr>
                <th scope="col" className="h-9 pr-2 pl-4 text-left font-medium">
                  Endpoint
                </th>
                <th scope="col" className="h-9 px-2 text-left font-medium max-md:hidden">
                  Service
                </th>
                {COLUMNS.map(({ long, short, wideOnly }) => (
                  <th
                    key={long}
                    scope="col"
                    className={classNames(FIGURE, 'font-medium', wideOnly && 'max-md:hidden')}
                  >
                    <span className="max-2xl:sr-only">{long}</span>
                    <span className="2xl:hidden" aria-hidden="true" title={long}>
                      {short}
                    </span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={`${row.endpoint} ${row.service} ${row.version}`} row={row} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Card>
  )
}

function Row({ row }: { row: EndpointRow }) {
  const service = (
    <>
      {row.service} <span className="text-ink-3">{row.version}</span>
    </>
  )
  return (
    <tr className="relative border-line border-t hover:bg-sunken">
      <th
        scope="row"
        className="h-9 pr-2 pl-4 text-left font-normal max-md:h-13 max-md:whitespace-normal max-md:py-1.5"
      >
        <PageLink
          href={`/traces?${new URLSearchParams({ endpoint: row.endpoint })}`}
          className="font-mono text-s after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:-outline-offset-2"
        >
          {row.endpoint}
        </PageLink>
        <span className="block text-ink-2 text-xs md:hidden">
          {service} · {countText(row.keyedRequests)} keyed
          {row.p95Ms !== null && ` · P95 ${latencyText(row.p95Ms)}`}
        </span>
      </th>
      <td className="h-9 px-2 max-md:hidden">{service}</td>
      <td className={`${FIGURE} max-md:hidden`}>{countText(row.keyedRequests)}</td>
      <td
        className={FIGURE}
        title={`${countText(row.duplicates)} of ${countText(row.keyedRequests)} keyed requests`}
      >
        {percentText(row.duplicates / row.keyedRequests)} %
      </td>
      <td className={row.effectsTwice > 0 ? `${FIGURE} font-semibold text-bad-ink` : FIGURE}>
        {countText(row.effectsTwice)}
      </td>
      <td className={`${FIGURE} max-md:hidden`}>
        {row.p95Ms === null ? <span className="text-ink-3">not measured</span> : latencyText(row.p95Ms)}
      </td>
    </tr>
  )
}
