import type { Metadata } from 'next'
import { Suspense } from 'react'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { bytesText } from '@/app/_ui/format-bytes'
import { countText, durationText } from '@/lib/core/format-figure'
import type { TierStorage } from '@/lib/retention/storage'
import { storeTotals } from '@/lib/retention/store-totals'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { AdviceCard } from './advice-card'
import { ArchivesCard } from './archives-card'
import { CollectActions } from './collect-actions'
import { PoliciesCard } from './policies-card'
import { loadStorage, readStoragePage } from './read-page'
import { CollectionRuns } from './runs-card'
import { StoreCard } from './store-card'
import { TiersCard } from './tiers-card'

export const metadata: Metadata = { title: 'Storage & GC' }

export default async function StoragePage(props: PageProps) {
  const { ctx, asked, now, range, place, forbid } = await openPage('/storage', props)
  const query = await loadStorage(asked)
  const data = await readStoragePage(ctx, query, range, now)
  const { tiers, names, people, collectable, byRows } = data
  const shown = { from: range.from.toISOString(), to: range.to.toISOString() }
  return (
    <Page
      title="Storage & GC"
      summary={summaryOf(tiers, data.connected)}
      actions={
        <CollectActions
          expired={sum(tiers, ({ expiredRows }) => expiredRows)}
          collectable={collectable}
          forbidden={forbid('retention.run')}
          place={place}
        />
      }
    >
      {storeTotals(tiers, data.capacities).map((total) => (
        <StoreCard
          key={total.source}
          total={total}
          forbidden={forbid('source.manage')}
          tiers={tiers.filter(({ source }) => source === total.source)}
          marks={data.marks.filter(({ source }) => source === total.source)}
          range={shown}
          names={names}
        />
      ))}
      <TiersCard tiers={tiers} names={names} connected={data.connected} />
      <TwoColumns>
        <PoliciesCard
          policies={data.policies}
          floors={data.floors}
          waiting={data.waiting}
          stores={collectable.map((source) => ({
            source,
            byRows: byRows.has(source.id),
            tiers: tiers.filter((tier) => tier.source === source.id).map(({ tier }) => tier),
          }))}
          names={names}
          people={people}
          me={ctx.actor.userId}
          forbidden={{ propose: forbid('retention.run'), decide: forbid('action.approve') }}
          place={place}
        />
        <ArchivesCard
          archives={data.archives.items}
          more={data.archives.next !== null}
          names={names}
          byRows={byRows}
          forbidden={forbid('source.manage')}
          place={place}
        />
      </TwoColumns>
      <Suspense fallback={<AdviceWaits />}>
        <AdviceCard
          db={ctx.db}
          range={range}
          settable={collectable.filter(({ id }) => byRows.has(id))}
          forbidden={forbid('retention.run')}
          place={place}
        />
      </Suspense>
      <CollectionRuns page={data.runs} query={query} people={people} />
    </Page>
  )
}

const sum = (tiers: readonly TierStorage[], pick: (tier: TierStorage) => number): number =>
  tiers.reduce((total, tier) => total + pick(tier), 0)

/** "3,610 keys in 5.2 MiB; 544 are expired and wait, the oldest for 2 min." */
function summaryOf(tiers: readonly TierStorage[], connected: boolean): string {
  if (tiers.length === 0)
    return connected
      ? 'Not measured: nothing was sampled in this range.'
      : 'No idempotency store is connected.'
  const lag = Math.max(...tiers.map(({ expiryLagMs }) => expiryLagMs ?? -1))
  const waits =
    lag < 0
      ? 'no keys to collect'
      : `${countText(sum(tiers, ({ expiredRows }) => expiredRows))} are expired and wait, the oldest for ${durationText(lag)}`
  return `${countText(sum(tiers, ({ rows }) => rows))} keys in ${bytesText(sum(tiers, ({ bytes }) => bytes))}; ${waits}.`
}

function AdviceWaits() {
  return (
    <Card id="advice" title="TTL advice">
      <EmptyState kind="waiting" title="Looking through the keys of the range …" />
    </Card>
  )
}
