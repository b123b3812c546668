import { ActionDialog } from '@/app/_ui/action-dialog'
import { EmptyState } from '@/app/_ui/empty-state'
import { TextField } from '@/app/_ui/field'
import { bytesText } from '@/app/_ui/format-bytes'
import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { countText, durationText } from '@/lib/core/format-figure'
import { type Names, nameIn } from '@/lib/core/names'
import type { StorageCost, TierCost } from '@/lib/insight/cost/read-cost'
import { costText } from '@/lib/retention/price'
import { NOT_MEASURED } from '../not-measured'
import { savePrice } from './actions'

type Props = {
  cost: StorageCost
  names: Names
  connected: boolean
  /** Why this person may not enter a price; null = they may. */
  forbidden: string | null
}

/** Bytes and money of each tier, as it was last sampled. */
export function TierCostsCard({ cost, names, connected, forbidden }: Props) {
  return (
    <TableCard
      id="tier-costs"
      title="Bytes and money by tier"
      aside="a month, at the price entered"
      scrolls="Bytes and money by tier, table"
      columns={columnsOf(names, forbidden)}
      rows={cost.tiers}
      rowId={({ source, tier }) => `${source} ${tier}`}
      empty={
        connected ? (
          <EmptyState kind="waiting" title="Not measured: no store was sampled in this range">
            A store that is down leaves a gap, never a zero. Widen the range to see earlier samples.
          </EmptyState>
        ) : (
          <EmptyState kind="waiting" title="No idempotency store is connected">
            Connect one under Sources; its size is sampled from then on.
          </EmptyState>
        )
      }
    />
  )
}

const columnsOf = (names: Names, forbidden: string | null): Column<TierCost>[] => [
  {
    head: 'Store and tier',
    names: true,
    cell: ({ tier, source }) => (
      <TwoLines below={nameIn(names, source)}>
        <span className="font-medium">{tier === '' ? 'all' : tier}</span>
      </TwoLines>
    ),
  },
  figureColumn(
    'TTL',
    ({ ttlMs }) =>
      ttlMs === null ? <span className="text-ink-3">as the service sets it</span> : durationText(ttlMs),
    { from: 'md' },
  ),
  figureColumn('Keys', ({ rows }) => countText(rows), { from: 'md' }),
  figureColumn('Size', ({ bytes, bytesPerRow }) =>
    bytes === null ? (
      NOT_MEASURED
    ) : (
      <TwoLines below={bytesPerRow === null ? 'no key' : `${bytesText(Math.round(bytesPerRow))} a key`}>
        {bytesText(bytes)}
      </TwoLines>
    ),
  ),
  figureColumn('A month', ({ bytes, costPerMonth }) =>
    costPerMonth !== null ? (
      costText(costPerMonth)
    ) : bytes === null ? (
      NOT_MEASURED
    ) : (
      <span className="text-ink-3">no price entered</span>
    ),
  ),
  {
    head: 'Price',
    shown: null,
    align: 'right',
    cell: ({ source }) => (
      <ActionDialog
        opener="Set price"
        openerLook="quiet"
        forbidden={forbidden}
        title={`What space costs in ${nameIn(names, source)}`}
        lead="Of a GiB kept for a month (clouds write GB-month). It holds for all tiers of the store; nothing in the store changes."
        confirm="Save 1 price"
        withReason
        action={savePrice.bind(null, source)}
      >
        <TextField
          name="amount"
          label="Price of a GiB-month; empty takes it away"
          inputMode="decimal"
          placeholder="0.115"
        />
        <TextField name="currency" label="Currency" defaultValue="USD" maxLength={3} />
      </ActionDialog>
    ),
  },
]
