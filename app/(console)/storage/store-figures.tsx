import { ActionDialog } from '@/app/_ui/action-dialog'
import { TextField } from '@/app/_ui/field'
import { type Figure, Figures } from '@/app/_ui/figures'
import { bytesText } from '@/app/_ui/format-bytes'
import { Time } from '@/app/_ui/time'
import { countText, durationText } from '@/lib/core/format-figure'
import type { StoreTotal } from '@/lib/retention/store-totals'
import { saveCapacity } from './actions'

const GIB = 1024 ** 3
const DAY_MS = 86_400_000
/** Fewer days than this are too few to order a disk. */
const DAYS_FEW = 30

/** How large a store is, how fast it grows, how long it lasts, and what waits to be collected. */
export function StoreFigures({ total, forbidden }: { total: StoreTotal; forbidden: string | null }) {
  const { bytes, rows, bytesADay, expiredRows, expiryLagMs, oldestUnexpiredAt } = total
  const figures: Figure[] = [
    { name: 'Size', value: bytesText(bytes), note: `${countText(rows)} keys` },
    {
      name: 'Growth a day',
      value: bytesADay === null ? null : bytesText(Math.round(bytesADay)),
      note: bytesADay === null ? 'needs 5 minutes of samples' : 'what came, before collections',
    },
    daysLeft(total, forbidden),
    { name: 'Expired backlog', value: countText(expiredRows), note: 'keys past their TTL' },
    {
      name: 'Expiry lag',
      value: expiryLagMs === null ? '0 s' : durationText(expiryLagMs),
      note: expiryLagMs === null ? 'no keys waiting' : 'the oldest expired key waits',
    },
    {
      name: 'Oldest unexpired',
      value: oldestUnexpiredAt === null ? '–' : <Time at={oldestUnexpiredAt} kind="age" />,
      note: oldestUnexpiredAt === null ? 'no unexpired key' : 'age of the oldest kept',
    },
  ]
  return <Figures figures={figures} />
}

function daysLeft(total: StoreTotal, forbidden: string | null): Figure {
  const { source, capacityBytes, bytesADay, daysLeft: days } = total
  const capacity = (
    <ActionDialog
      opener={capacityBytes === null ? 'Set capacity' : `of ${bytesText(capacityBytes)}`}
      openerLook="link"
      forbidden={forbidden}
      title="How much this store may hold"
      lead="Days left follow from it and the growth. Nothing in the store changes."
      confirm="Save 1 capacity"
      withReason
      action={saveCapacity.bind(null, source)}
    >
      <TextField
        name="gib"
        label="Capacity in GiB; empty takes it away"
        type="number"
        min={0}
        step="any"
        inputMode="decimal"
        defaultValue={capacityBytes === null ? '' : capacityBytes / GIB}
      />
    </ActionDialog>
  )
  const few = days !== null && days < DAYS_FEW
  return {
    name: 'Days left',
    value: days === null ? null : days < 1 ? durationText(days * DAY_MS) : countText(Math.floor(days)),
    empty: capacityBytes === null ? 'Not configured' : bytesADay === null ? 'Not measured' : 'Not growing',
    note: capacity,
    tone: few ? 'warn' : undefined,
  }
}
