import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { countText, plural } from '@/app/_ui/format-figure'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { Arrivals } from '@/lib/telemetry/read/arrivals'
import type { Freshness } from '@/lib/telemetry/read/freshness'

/** Who sends spans, and when they last came. A service beyond its limit is stale, never green and never 0. */
export function ServicesCard({
  services,
  arrivals,
}: {
  services: readonly Freshness[]
  arrivals: readonly Arrivals[]
}) {
  const arrived = new Map(arrivals.map((each) => [each.service, each]))
  return (
    <Card id="services" title="Services that send telemetry" aside={plural(services.length, 'service')}>
      {services.length === 0 ? (
        <EmptyState kind="waiting" title="Waiting for the first span">
          Every rate is not measured until then, never 0.
        </EmptyState>
      ) : (
        <table className={tableClass}>
          <thead>
            <tr>
              <th scope="col" className={stillHeadClass()}>
                Service
              </th>
              <th scope="col" className={stillHeadClass('max-md:hidden')}>
                First span
              </th>
              <th scope="col" className={stillHeadClass('text-right')}>
                In the range
              </th>
              <th scope="col" className={stillHeadClass('text-right')}>
                Last received
              </th>
            </tr>
          </thead>
          <tbody>
            {services.map((service) => (
              <tr key={`${service.service} ${service.environment}`}>
                <td className={cellClass()}>
                  <span className="block font-medium">{service.service}</span>
                  <span className={secondLineClass}>{service.environment}</span>
                </td>
                <td className={cellClass('max-md:hidden')}>
                  <Time at={service.firstSpanAt.toISOString()} />
                </td>
                <td className={cellClass('text-right')}>
                  <Arrived arrivals={arrived.get(service.service)} />
                </td>
                <td className={cellClass('text-right')}>
                  {service.stale ? (
                    <Badge tone="warn">
                      Stale since <Time at={service.lastReceivedAt.toISOString()} />
                    </Badge>
                  ) : (
                    <>
                      <Time at={service.lastReceivedAt.toISOString()} kind="age" /> ago
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

/** Late spans change minutes that were looked at already; spans of the future say that a clock is wrong. */
function Arrived({ arrivals }: { arrivals: Arrivals | undefined }) {
  if (arrivals === undefined) return 'nothing'
  const { spans, logs, late, future, unrouted } = arrivals
  const notes = [
    logs > 0 && plural(logs, 'log'),
    late > 0 && `${countText(late)} late`,
    future > 0 && `${countText(future)} ahead of their time`,
    unrouted > 0 && `${plural(unrouted, 'request')} without a route`,
  ].filter((note) => note !== false)
  return (
    <>
      <span className="block">{plural(spans, 'span')}</span>
      {notes.length > 0 && <span className={secondLineClass}>{notes.join(', ')}</span>}
    </>
  )
}
