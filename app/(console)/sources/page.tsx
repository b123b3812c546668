import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { buttonClass } from '@/app/_ui/button'
import { plural } from '@/app/_ui/format-figure'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { env } from '@/lib/env'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { readFeeds } from '@/lib/mirror/read/read-feeds'
import { readProcesses } from '@/lib/runs/processes'
import { readArrivals } from '@/lib/telemetry/read/arrivals'
import { freshnessNow, requestNow } from '../_shell/reads'
import { Onboarding } from '../now/onboarding'
import { ProcessesCard } from './processes-card'
import { readSeenOutages } from './read-outages'
import { ServicesCard } from './services-card'
import { SourceCard } from './source-card'

export const metadata: Metadata = { title: 'Sources' }
export const dynamic = 'force-dynamic'

/** In the order of an operation: what was meant, what happened, what was booked. */
const ORDER = ['intent', 'provider', 'ledger']

export default async function SourcesPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/sources', asked)
  const now = await requestNow()
  const range = resolveRange(await loadRange(asked), now)
  const [sources, services, arrivals, processes, { feeds, coverage }, outages] = await Promise.all([
    listSources(ctx.db, now),
    freshnessNow(),
    readArrivals(ctx.db, range),
    readProcesses(ctx.db, ctx.clock),
    readFeeds(ctx.db),
    readSeenOutages(ctx, now),
  ])
  const settings = env()
  const ordered = [...sources].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
  const ready = services.length > 0 && ORDER.every((kind) => sources.some((each) => wasRead(each, kind)))
  const checkList = (
    <Onboarding
      otlpUrl={`http://${settings.IDEMSCOPE_OTLP_HOST}:${settings.OTLP_PORT}`}
      needsToken={settings.IDEMSCOPE_OTLP_TOKEN !== undefined}
      measured={services.length > 0}
      sources={sources}
    />
  )
  return (
    <div className="grid gap-3">
      <PageHeader
        title="Sources"
        summary={summaryOf(sources)}
        actions={
          <PageLink href="/sources/connect" className={buttonClass(ready ? 'plain' : 'primary')}>
            Connect a store
          </PageLink>
        }
      />
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
              outage={source.enabled ? outages.get(source.id) : undefined}
            />
          ))}
        </div>
      )}
      <div className="grid items-start gap-3 xl:grid-cols-2 [&>*]:min-w-0">
        <div className="grid min-w-0 gap-3">
          <ServicesCard services={services} arrivals={arrivals} />
          {ready && checkList}
        </div>
        <ProcessesCard processes={processes} />
      </div>
    </div>
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
