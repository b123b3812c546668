'use client'

import { clockText, dayClockText, sameDay, zoneText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import { useZone } from '@/app/_ui/zone'

/** 02:00 – 03:00 UTC, live */
export function RangeText({ from, to, live }: { from: string; to: string; live: boolean }) {
  const zone = useZone()
  const now = new Date(useNow())
  const [start, end] = [new Date(from), new Date(to)]
  const text = (at: Date) => (sameDay(at, now, zone) ? clockText(at, zone) : dayClockText(at, zone))
  return (
    <p className="text-ink-2">
      {text(start)} – {sameDay(start, end, zone) ? clockText(end, zone) : text(end)} {zoneText(end, zone)}
      {live ? ', live' : ', fixed'}
    </p>
  )
}
