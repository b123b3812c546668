import { Card } from '@/app/_ui/card'
import { countText, latencyText, percentText } from '@/app/_ui/format-figure'
import type { EndpointRow } from '@/lib/telemetry/read/endpoints'
import { ENDPOINTS_SHOWN, type NowData } from './read-now'

const FIGURE = 'h-9 px-2 text-right last:pr-4'

/** Where there is little room the short word has to do. */
const COLUMNS = [
  { long: 'Keyed requests', short: 'Keyed' },
  { long: 'Duplicates', short: 'Duplicates' },
  { long: 'Effects twice', short: 'Twice' },
  { long: 'P95', short: 'P95' },
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
                {COLUMNS.map(({ long, short }) => (
                  <th key={long} scope="col" className={`${FIGURE} font-medium`}>
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
    <tr className="border-line border-t">
      <th scope="row" className="h-9 pr-2 pl-4 text-left font-normal max-md:h-13">
        <span className="font-mono text-s">{row.endpoint}</span>
        <span className="block text-ink-2 text-xs md:hidden">{service}</span>
      </th>
      <td className="h-9 px-2 max-md:hidden">{service}</td>
      <td className={FIGURE}>{countText(row.keyedRequests)}</td>
      <td
        className={FIGURE}
        title={`${countText(row.duplicates)} of ${countText(row.keyedRequests)} keyed requests`}
      >
        {percentText(row.duplicates / row.keyedRequests)} %
      </td>
      <td className={row.effectsTwice > 0 ? `${FIGURE} font-semibold text-bad-ink` : FIGURE}>
        {countText(row.effectsTwice)}
      </td>
      <td className={FIGURE}>
        {row.p95Ms === null ? <span className="text-ink-3">not measured</span> : latencyText(row.p95Ms)}
      </td>
    </tr>
  )
}
