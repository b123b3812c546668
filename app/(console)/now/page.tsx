import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { loadRange, resolveRange, writeRange } from '@/app/_ui/time-range'
import { leastRoleFor, roleAllows } from '@/lib/core/permissions'
import { env } from '@/lib/env'
import { RangeText } from '../_page/range-text'
import { Remember } from '../_shell/last-good'
import { requestNow } from '../_shell/reads'
import { readActivity } from './activity'
import { ActivityCard } from './activity-card'
import { CopyLink } from './copy-link'
import { EndpointsCard } from './endpoints-card'
import { readMarks } from './marks'
import { Onboarding } from './onboarding'
import { OutcomeCard } from './outcome-card'
import { RateCard } from './rate-card'
import { readNow } from './read-now'
import { TileStrip } from './tile-strip'
import { buildTiles } from './tiles'
import { buildVerdict } from './verdict'
import { verdictActions } from './verdict-actions'
import { VerdictCard } from './verdict-card'

export const metadata: Metadata = { title: 'Now' }
export const dynamic = 'force-dynamic'

export default async function NowPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/now', asked)
  const range = resolveRange(await loadRange(asked), await requestNow())
  const data = await readNow(ctx, range)
  const [activity, marks] = await Promise.all([
    readActivity(ctx.db, data.deploys),
    readMarks(ctx.db, range, data.deploys),
  ])
  const window = { from: range.from.toISOString(), to: range.to.toISOString() }
  const measured = data.freshness.length > 0
  const settings = env()
  return (
    <Remember>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
        <header className="flex flex-wrap items-baseline gap-x-4">
          <h1 className="font-semibold text-xl">Now</h1>
          <RangeText range={range} />
          <div className="ml-auto">
            <CopyLink query={writeRange({ from: range.from, to: range.to })} />
          </div>
        </header>
        <VerdictCard
          verdict={buildVerdict(data)}
          actions={verdictActions(data)}
          dryRun={
            data.sources.some(({ lastOkAt }) => lastOkAt !== null)
              ? {
                  ...window,
                  forbidden: roleAllows(ctx.actor.role, 'run.start')
                    ? null
                    : `Needs the ${leastRoleFor('run.start')} role`,
                }
              : null
          }
        />
        {!measured && (
          <Onboarding
            otlpUrl={`http://${settings.IDEMSCOPE_OTLP_HOST}:${settings.OTLP_PORT}`}
            needsToken={settings.IDEMSCOPE_OTLP_TOKEN !== undefined}
            measured={measured}
            sources={data.sources}
          />
        )}
        <TileStrip tiles={buildTiles(data)} />
        {measured && (
          <div className="grid grid-cols-[minmax(0,1fr)] gap-3 xl:grid-cols-[minmax(0,1.25fr)_minmax(0,1fr)]">
            <OutcomeCard data={data} marks={marks} />
            <RateCard data={data} marks={marks} />
            <EndpointsCard data={data} />
            <ActivityCard items={activity} />
          </div>
        )}
      </div>
    </Remember>
  )
}
