import { Badge } from '@/app/_ui/badge'
import { EmptyState } from '@/app/_ui/empty-state'
import { type Column, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import type { Arrivals } from '@/lib/telemetry/read/arrivals'
import type { Freshness } from '@/lib/telemetry/read/freshness'

/** Who sends spans, and when they last came. A service beyond its limit is stale, never green and never 0. */
export function ServicesCard(props: { services: readonly Freshness[]; arrivals: readonly Arrivals[] }) {
  const { services, arrivals } = props
  return (
    <TableCard
      id="services"
      title="Services that send telemetry"
      aside={plural(services.length, 'service')}
      columns={columnsOf(arrivals)}
      rows={services}
      rowId={({ service, environment }) => `${service} ${environment}`}
      empty={
        <EmptyState kind="waiting" title="Waiting for the first span">
          Every rate is not measured until then, never 0.
        </EmptyState>
      }
    />
  )
}

const columnsOf = (arrivals: readonly Arrivals[]): Column<Freshness>[] => [
  {
    head: 'Service',
    cell: ({ service, environment }) => (
      <TwoLines below={environment}>
        <span className="font-medium">{service}</span>
      </TwoLines>
    ),
  },
  { head: 'First span', from: 'md', cell: ({ firstSpanAt }) => <Time at={firstSpanAt.toISOString()} /> },
  {
    head: 'In the range',
    align: 'right',
    cell: ({ service }) => <Arrived arrivals={arrivals.find((each) => each.service === service)} />,
  },
  {
    head: 'Last received',
    align: 'right',
    cell: ({ stale, lastReceivedAt }) =>
      stale ? (
        <Badge tone="warn">
          Stale since <Time at={lastReceivedAt.toISOString()} />
        </Badge>
      ) : (
        <Time at={lastReceivedAt.toISOString()} kind="ago" />
      ),
  },
]

/** Late spans change minutes that were looked at already; spans of the future say that a clock is wrong. */
function Arrived({ arrivals }: { arrivals: Arrivals | undefined }) {
  if (arrivals === undefined) return <>nothing</>
  const { spans, logs, late, future, unrouted } = arrivals
  const notes = [
    logs > 0 && plural(logs, 'log'),
    late > 0 && `${countText(late)} late`,
    future > 0 && `${countText(future)} ahead of their time`,
    unrouted > 0 && `${plural(unrouted, 'request')} without a route`,
  ].filter((note) => note !== false)
  return <TwoLines below={notes.join(', ')}>{plural(spans, 'span')}</TwoLines>
}
