import { EmptyState } from '@/app/_ui/empty-state'
import { bytesText } from '@/app/_ui/format-bytes'
import { Sparkline } from '@/app/_ui/sparkline'
import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { countText, durationText } from '@/lib/core/format-figure'
import { type Names, nameIn } from '@/lib/core/names'
import type { TierStorage } from '@/lib/retention/storage'
import { NOT_MEASURED } from './not-measured'
import type { StorageData } from './read-page'

/** Every store by tier: how much it holds, how fast it grows, what waits to be collected and since when. */
export function TiersCard({ tiers, names, connected }: StorageData) {
  return (
    <TableCard
      id="tiers"
      title="Rows and bytes by tier"
      aside={
        tiers[0] && (
          <>
            sampled <Time at={tiers[0].sampledAt} kind="ago" />
          </>
        )
      }
      scrolls="Rows and bytes by tier, table"
      columns={columnsOf(names)}
      rows={tiers}
      rowId={({ source, tier }) => `${source} ${tier}`}
      empty={<NoTier connected={connected} />}
    />
  )
}

function NoTier({ connected }: { connected: boolean }) {
  return connected ? (
    <EmptyState kind="waiting" title="Not measured: no store was sampled in this range">
      A store that is down leaves a gap, never a zero. Widen the range to see earlier samples.
    </EmptyState>
  ) : (
    <EmptyState kind="waiting" title="No idempotency store is connected">
      Connect one under Sources; its size is sampled from then on.
    </EmptyState>
  )
}

const columnsOf = (names: Names): Column<TierStorage>[] => [
  {
    head: 'Store and tier',
    names: true,
    cell: ({ tier, source }) => (
      <TwoLines below={nameIn(names, source)}>
        <span className="font-medium">{tier === '' ? 'all' : tier}</span>
      </TwoLines>
    ),
  },
  figureColumn('Rows', ({ rows }) => countText(rows)),
  figureColumn('Size', ({ bytes }) => (bytes === null ? NOT_MEASURED : bytesText(bytes))),
  figureColumn('Growth a day', ({ rowsADay, bytesADay }) =>
    rowsADay === null ? (
      NOT_MEASURED
    ) : (
      <TwoLines below={bytesADay !== null && bytesText(bytesADay)}>
        {countText(Math.round(rowsADay))} rows
      </TwoLines>
    ),
  ),
  figureColumn('Expired backlog', ({ expiredRows }) => countText(expiredRows)),
  figureColumn('Expiry lag', ({ expiredRows, expiryLagMs }) => {
    if (expiryLagMs !== null) return durationText(expiryLagMs)
    return expiredRows > 0 ? NOT_MEASURED : <span className="text-ink-3">no keys waiting</span>
  }),
  figureColumn(
    'Oldest kept',
    ({ rows, expiredRows, oldestUnexpiredAt }) => {
      if (oldestUnexpiredAt !== null) return <Time at={oldestUnexpiredAt} kind="age" />
      return rows > expiredRows ? NOT_MEASURED : <span className="text-ink-3">no key</span>
    },
    { from: 'md' },
  ),
  {
    head: 'Size in the range',
    from: 'lg',
    cell: ({ bytes, points }) =>
      bytes !== null && <Sparkline points={points.map(({ bytes }) => bytes)} stroke="var(--executed)" />,
  },
]
