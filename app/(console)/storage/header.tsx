import { ActDialog } from '@/app/_ui/act-dialog'
import { fieldClass } from '@/app/_ui/field'
import { bytesText } from '@/app/_ui/format-bytes'
import { countText } from '@/app/_ui/format-figure'
import { durationText } from '@/app/_ui/format-time'
import { PageHeader } from '@/app/_ui/page-header'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import type { TierStorage } from '@/lib/retention/storage'
import { collectNow, dryRunCollection } from './act'

type Props = {
  tiers: readonly TierStorage[]
  collectable: readonly SourceView[]
  forbidden: string | null
  place: string
}

/** What is held and what waits, in a line; and collecting, first dry. */
export function StorageHeader({ tiers, collectable, forbidden, place }: Props) {
  const why = collectable.length === 0 ? 'No connected store can be collected from here' : forbidden
  const rows = tiers.reduce((sum, { expiredRows }) => sum + expiredRows, 0)
  return (
    <PageHeader
      title="Storage & GC"
      summary={summaryOf(tiers)}
      actions={
        <>
          <ActDialog
            opener="Dry run"
            forbidden={why}
            title={`See what a collection would take in ${place}`}
            lead="Counts only: nothing is dropped or deleted."
            confirm="Start 1 dry run"
            act={dryRunCollection}
          >
            <StoreChoice sources={collectable} />
          </ActDialog>
          <ActDialog
            opener="Collect now"
            openerLook="primary"
            forbidden={why}
            title={`Collect expired keys in ${place}`}
            lead={`Up to ${countText(rows)} expired keys that are past their safety buffer are dropped for good. An unfinished key never is. A retry of a collected key executes again.`}
            tone="danger"
            confirm={`Collect expired keys in ${place}`}
            withReason
            act={collectNow}
          >
            <StoreChoice sources={collectable} />
          </ActDialog>
        </>
      }
    />
  )
}

function StoreChoice({ sources }: { sources: readonly SourceView[] }) {
  return (
    <label className="block">
      <span className="mb-1 block font-medium">Store</span>
      <select
        name="source"
        className={fieldClass}
        defaultValue={sources.length === 1 ? sources[0]?.id : 'all'}
      >
        {sources.length > 1 && <option value="all">All {sources.length} stores</option>}
        {sources.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** "3,610 keys in 5.2 MiB; 544 are expired and wait, the oldest for 2 min." */
function summaryOf(tiers: readonly TierStorage[]): string {
  if (tiers.length === 0) return 'Nothing was sampled in this range.'
  const sum = (pick: (tier: TierStorage) => number) => tiers.reduce((total, tier) => total + pick(tier), 0)
  const lag = Math.max(...tiers.map(({ expiryLagMs }) => expiryLagMs ?? -1))
  const waits =
    lag < 0
      ? 'none waits to be collected'
      : `${countText(sum(({ expiredRows }) => expiredRows))} are expired and wait, the oldest for ${durationText(lag)}`
  return `${countText(sum((tier) => tier.rows))} keys in ${bytesText(sum((tier) => tier.bytes))}; ${waits}.`
}
