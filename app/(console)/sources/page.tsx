import type { Metadata } from 'next'
import { Badge } from '@/app/_ui/badge'
import { buttonClass } from '@/app/_ui/button'
import { PageLink } from '@/app/_ui/page-link'
import type { Column } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { readSeenOutages } from '@/lib/conditions/read-outages'
import { plural } from '@/lib/core/format-figure'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { readFeeds } from '@/lib/mirror/read/read-feeds'
import { readProcesses } from '@/lib/runs/processes'
import { readArrivals } from '@/lib/telemetry/read/arrivals'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { freshnessNow } from '../_shell/reads'
import { Onboarding } from '../now/onboarding'
import { ServicesCard } from './services-card'
import { SourceCard } from './source-card'

export const metadata: Metadata = { title: 'Sources' }

/** In the order of an operation: what was meant, what happened, what was booked. Messages are no side of it. */
const SIDES = ['intent', 'provider', 'ledger']
const ORDER = [...SIDES, 'outbox', 'dead_letters']

export default async function SourcesPage(props: PageProps) {
  const { ctx, now, range, place, forbid } = await openPage('/sources', props)
  const [sources, services, arrivals, processes, { feeds, coverage }, outages] = await Promise.all([
    listSources(ctx.db, now),
    freshnessNow(),
    readArrivals(ctx.db, range),
    readProcesses(ctx.db, ctx.clock),
    readFeeds(ctx.db),
    readSeenOutages(ctx.db, now),
  ])
  const ordered = [...sources].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
  const ready = services.length > 0 && SIDES.every((kind) => sources.some((each) => wasRead(each, kind)))
  const checkList = <Onboarding measured={services.length > 0} sources={sources} />
  return (
    <Page
      title="Sources"
      summary={summaryOf(sources)}
      actions={
        <PageLink href="/sources/connect" className={buttonClass(ready ? 'plain' : 'primary')}>
          Connect a store
        </PageLink>
      }
    >
      {!ready && checkList}
      {ordered.length > 0 && (
        <div className="grid gap-3 lg:grid-cols-2 xl:grid-cols-3 [&>*]:min-w-0">
          {ordered.map((source) => (
            <SourceCard
              key={source.id}
              source={source}
              feeds={feeds.filter((feed) => feed.source === source.id)}
              coverage={coverage.find((each) => each.source === source.id)}
              now={now}
              place={place}
              forbidden={forbid('source.manage')}
              outage={source.enabled ? outages.get(source.id) : undefined}
            />
          ))}
        </div>
      )}
      <TwoColumns>
        <div className="grid min-w-0 gap-3">
          <ServicesCard services={services} arrivals={arrivals} />
          {ready && checkList}
        </div>
        <ProcessesCard processes={processes} />
      </TwoColumns>
    </Page>
  )
}

const wasRead = (source: SourceView, kind: string): boolean =>
  source.kind === kind && source.lastOkAt !== null

function summaryOf(sources: readonly SourceView[]): string {
  const enabled = sources.filter((source) => source.enabled)
  const down = enabled.filter(({ state }) => state !== 'ok')
  if (enabled.length === 0) return 'Nothing is connected yet: the check-list says how.'
  if (down.length === 0) return `All ${plural(enabled.length, 'source')} can be read.`
  return `${down.length} of ${plural(enabled.length, 'source')} cannot be read: ${down.map(({ name }) => name).join(', ')}.`
}

type Processes = Awaited<ReturnType<typeof readProcesses>>

/** The console's own parts, and whether each is alive. */
function ProcessesCard({ processes }: { processes: Processes }) {
  return (
    <TableCard
      id="processes"
      title="Processes of the console"
      aside={plural(processes.length, 'process', 'processes')}
      lines={1}
      columns={COLUMNS}
      rows={processes}
      rowId={({ id }) => id}
    />
  )
}

const COLUMNS: Column<Processes[number]>[] = [
  {
    head: 'Process',
    cell: ({ kind, pid }) => (
      <>
        {kind} <span className="text-ink-3">pid {pid}</span>
      </>
    ),
  },
  {
    head: 'Last sign of life',
    align: 'right',
    cell: ({ fresh, seenAt }) =>
      fresh ? (
        <Time at={seenAt} kind="ago" />
      ) : (
        <Badge tone="warn">
          silent since <Time at={seenAt} />
        </Badge>
      ),
  },
]
