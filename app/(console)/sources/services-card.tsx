import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { plural } from '@/app/_ui/format-figure'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { Freshness } from '@/lib/telemetry/read/freshness'

/** Who sends spans, and when they last came. A service beyond its limit is stale, never green and never 0. */
export function ServicesCard({ services }: { services: readonly Freshness[] }) {
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
