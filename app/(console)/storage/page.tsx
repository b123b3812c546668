import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { Suspense } from 'react'
import { guardPage } from '@/app/_server/page-guard'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { leastRoleFor, roleAllows, type Verb } from '@/lib/core/permissions'
import { env } from '@/lib/env'
import { storeTotals } from '@/lib/retention/store-totals'
import { requestNow } from '../_shell/reads'
import { AdviceCard } from './advice-card'
import { ArchivesCard } from './archives-card'
import { GrowthChart } from './growth-chart'
import { StorageHeader } from './header'
import { PoliciesCard } from './policies-card'
import { loadStorage } from './query'
import { readStoragePage } from './read-page'
import { CollectionRuns } from './runs-card'
import { StoreFigures } from './store-figures'
import { TiersCard } from './tiers-card'

export const metadata: Metadata = { title: 'Storage & GC' }
export const dynamic = 'force-dynamic'

export default async function StoragePage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/storage', asked)
  const query = await loadStorage(asked)
  const data = await readStoragePage(ctx, asked, query, await requestNow())
  const { tiers, marks, range, names, people, collectable, byRows } = data
  const place = env().IDEMSCOPE_ENVIRONMENT.toUpperCase()
  const forbid = (verb: Verb) =>
    roleAllows(ctx.actor.role, verb) ? null : `Needs the ${leastRoleFor(verb)} role`
  const shown = { from: range.from.toISOString(), to: range.to.toISOString() }
  return (
    <div className="grid gap-3">
      <StorageHeader
        tiers={tiers}
        collectable={collectable}
        forbidden={forbid('retention.run')}
        place={place}
      />
      {storeTotals(tiers, data.capacities).map((total) => (
        <Card
          key={total.source}
          id={`store-${total.source}`}
          title={names.get(total.source) ?? total.source}
          aside="all tiers together"
        >
          <StoreFigures total={total} forbidden={forbid('source.manage')} />
          <div className="pt-3">
            <GrowthChart
              tiers={tiers.filter(({ source }) => source === total.source)}
              marks={marks.filter(({ source }) => source === total.source)}
              range={shown}
              names={names}
            />
          </div>
        </Card>
      ))}
      <TiersCard tiers={tiers} names={names} />
      <div className="grid items-start gap-3 xl:grid-cols-2 [&>*]:min-w-0">
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
      </div>
      <Suspense fallback={<AdviceWaits />}>
        <AdviceCard
          db={ctx.db}
          range={range}
          settable={collectable.filter(({ id }) => byRows.has(id))}
          forbidden={forbid('retention.run')}
          place={place}
        />
      </Suspense>
      <CollectionRuns page={data.runs} query={query} names={people} />
    </div>
  )
}

function AdviceWaits() {
  return (
    <Card id="advice" title="TTL advice">
      <EmptyState kind="waiting" title="Looking through the keys of the range …" />
    </Card>
  )
}
