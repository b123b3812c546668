import type { Metadata } from 'next'
import { Suspense } from 'react'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { PrintButton } from '@/app/_ui/print-button'
import { namesOf } from '@/lib/core/names'
import { readStorageCost, type StorageCost } from '@/lib/insight/cost/read-cost'
import { listSources } from '@/lib/mirror/read/list-sources'
import { costText } from '@/lib/retention/price'
import { openPage, type PageProps } from '../../_page/open-page'
import { Page } from '../../_page/page-frame'
import { sizeText } from '../read-page'
import { CompareCard } from './compare-card'
import { loadQuery } from './query'
import { RetriesCard } from './retries-card'
import { TierCostsCard } from './tier-costs-card'

export const metadata: Metadata = { title: 'Cost model' }

export default async function CostPage(props: PageProps) {
  const { ctx, asked, range, now, forbid } = await openPage('/storage/cost', props)
  const [query, cost, sources] = await Promise.all([
    loadQuery(asked),
    readStorageCost(ctx.db, range),
    listSources(ctx.db, now),
  ])
  const stores = sources.filter(({ kind, enabled }) => kind === 'intent' && enabled)
  const names = namesOf(sources)
  return (
    <Page
      title="Cost model"
      path={[{ label: 'Storage & GC', href: '/storage' }]}
      summary={summaryOf(cost, stores.length > 0)}
      actions={<PrintButton />}
    >
      <TierCostsCard
        cost={cost}
        names={names}
        connected={stores.length > 0}
        forbidden={forbid('source.manage')}
      />
      <Suspense fallback={<Waits id="retries" title="Retries and what records avoid" />}>
        <RetriesCard db={ctx.db} range={range} />
      </Suspense>
      <Suspense
        key={JSON.stringify(query)}
        fallback={<Waits id="compare" title="Two TTLs on the observed traffic" />}
      >
        <CompareCard db={ctx.db} range={range} query={query} cost={cost} names={names} />
      </Suspense>
    </Page>
  )
}

/** "5.2 MiB of keys cost $0.60 a month." Without a price there are bytes only. */
function summaryOf({ tiers, costPerMonth, unpriced }: StorageCost, connected: boolean): string {
  if (tiers.length === 0)
    return connected
      ? 'Not measured: no store was sampled in this range.'
      : 'No idempotency store is connected.'
  const size = sizeText(tiers)
  if (costPerMonth.length === 0) return `${size} of keys; no price is entered.`
  const rest = unpriced.length === 0 ? '' : ' A store without a price is not in it.'
  return `${size} of keys; ${costPerMonth.map(costText).join(' and ')} a month.${rest}`
}

function Waits({ id, title }: { id: string; title: string }) {
  return (
    <Card id={id} title={title}>
      <EmptyState kind="waiting" title="Looking through the keys of the range …" />
    </Card>
  )
}
