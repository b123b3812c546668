import type { Metadata } from 'next'
import { Suspense } from 'react'
import { buttonClass } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { PageLink } from '@/app/_ui/page-link'
import { countText, durationText } from '@/lib/core/format-figure'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { AdviceCard } from './advice-card'
import { ArchivesCard } from './archives-card'
import { CollectActions } from './collect-actions'
import { PoliciesCard } from './policies-card'
import { readStoragePage, type StorageData, sizeText, sumOver } from './read-page'
import { CollectionRuns } from './runs-card'
import { StoreCard } from './store-card'
import { TiersCard } from './tiers-card'

export const metadata: Metadata = { title: 'Storage & GC' }

export default async function StoragePage(props: PageProps) {
  const storage = await readStoragePage(await openPage('/storage', props))
  return (
    <Page
      title="Storage & GC"
      summary={summaryOf(storage)}
      actions={
        <>
          <PageLink href="/storage/cost" className={buttonClass()}>
            Cost model
          </PageLink>
          <CollectActions {...storage} />
        </>
      }
    >
      {storage.totals.map((total) => (
        <StoreCard key={total.source} total={total} {...storage} />
      ))}
      <TiersCard {...storage} />
      <TwoColumns>
        <PoliciesCard {...storage} />
        <ArchivesCard {...storage} />
      </TwoColumns>
      <Suspense fallback={<AdviceWaits />}>
        <AdviceCard {...storage} />
      </Suspense>
      <CollectionRuns {...storage} />
    </Page>
  )
}

/** "3,610 keys in 5.2 MiB; 544 are expired and wait, the oldest for 2 min." */
function summaryOf({ tiers, connected }: StorageData): string {
  if (tiers.length === 0)
    return connected
      ? 'Not measured: nothing was sampled in this range.'
      : 'No idempotency store is connected.'
  const lag = Math.max(...tiers.map(({ expiryLagMs }) => expiryLagMs ?? -1))
  const expired = sumOver(tiers, 'expiredRows')
  const since = lag < 0 ? '' : `, the oldest for ${durationText(lag)}`
  const waits =
    expired === 0 && lag < 0 ? 'no keys to collect' : `${countText(expired)} are expired and wait${since}`
  return `${countText(sumOver(tiers, 'rows'))} keys in ${sizeText(tiers)}; ${waits}.`
}

function AdviceWaits() {
  return (
    <Card id="advice" title="TTL advice">
      <EmptyState kind="waiting" title="Looking through the keys of the range …" />
    </Card>
  )
}
