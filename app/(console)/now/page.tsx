import type { Metadata } from 'next'
import { createLoader, parseAsString } from 'nuqs/server'
import { writeRange } from '@/app/_ui/time-range'
import { readActivity } from '@/lib/alerts/now/activity'
import { readMarks } from '@/lib/alerts/now/marks'
import { readNow } from '@/lib/alerts/now/read-now'
import { buildTiles } from '@/lib/alerts/now/tiles'
import { buildVerdict } from '@/lib/alerts/now/verdict'
import { verdictActions } from '@/lib/alerts/now/verdict-actions'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { RangeText } from '../_page/range-text'
import { conditionsNow, freshnessNow } from '../_shell/reads'
import { ActivityCard } from './activity-card'
import { OutcomeCard, RateCard } from './charts'
import { CopyLink } from './copy-link'
import { EndpointsCard } from './endpoints-card'
import { Onboarding } from './onboarding'
import { TileStrip } from './tile-strip'
import { VerdictCard } from './verdict-card'

/** A service whose versions are compared: where the mark of a deploy leads. */
const loadNow = createLoader({ service: parseAsString })

export const metadata: Metadata = { title: 'Now' }

export default async function NowPage(props: PageProps) {
  const { ctx, asked, now, range, forbid } = await openPage('/now', props)
  const { service } = await loadNow(asked)
  const data = await readNow(ctx, {
    ...{ range, now, service },
    freshness: freshnessNow(),
    conditions: conditionsNow(),
  })
  const [activity, marks] = await Promise.all([
    readActivity(ctx.db, data.deploys),
    readMarks(ctx.db, range, data.deploys),
  ])
  const window = { from: range.from.toISOString(), to: range.to.toISOString() }
  const measured = data.freshness.length > 0
  return (
    <Page
      title="Now"
      beside={<RangeText range={range} />}
      actions={<CopyLink query={writeRange({ from: range.from, to: range.to })} />}
    >
      <VerdictCard
        verdict={buildVerdict(data)}
        actions={verdictActions(data)}
        dryRun={
          data.sources.some(({ lastOkAt }) => lastOkAt !== null)
            ? { ...window, forbidden: forbid('run.start') }
            : null
        }
      />
      {!measured && <Onboarding measured={measured} sources={data.sources} />}
      <TileStrip tiles={buildTiles(data)} />
      {measured && (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-3 xl:grid-cols-[minmax(0,1.25fr)_minmax(0,1fr)]">
          <OutcomeCard data={data} marks={marks} />
          <RateCard data={data} marks={marks} />
          <EndpointsCard data={data} />
          <ActivityCard items={activity} />
        </div>
      )}
    </Page>
  )
}
