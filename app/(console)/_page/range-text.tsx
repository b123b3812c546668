'use client'

import { clockText, dayClockText, sameDay, zoneText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import type { TimeRange } from '@/app/_ui/time-range'
import { useZone } from '@/app/_ui/zone'

/** 02:00 – 03:00 UTC, live */
export function RangeText({ range: { from, to, live } }: { range: Pick<TimeRange, 'from' | 'to' | 'live'> }) {
  const zone = useZone()
  const now = new Date(useNow())
  const text = (at: Date) => (sameDay(at, now, zone) ? clockText(at, zone) : dayClockText(at, zone))
  return (
    <p className="text-ink-2">
      {text(from)} – {sameDay(from, to, zone) ? clockText(to, zone) : text(to)} {zoneText(to, zone)}
      {live ? ', live' : ', fixed'}
    </p>
  )
}
