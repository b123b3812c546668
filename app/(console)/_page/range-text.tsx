'use client'

import { rangeText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import type { TimeRange } from '@/app/_ui/time-range'
import { useZone } from '@/app/_ui/zone'

/** 02:00 – 03:00 UTC, live */
export function RangeText({ range }: { range: Pick<TimeRange, 'from' | 'to' | 'live'> }) {
  const text = rangeText(range, useZone(), new Date(useNow()))
  return (
    <p className="text-ink-2">
      {text}
      {range.live ? ', live' : ', fixed'}
    </p>
  )
}
