'use client'

import { clockText, dayClockText, sameDay, zoneText } from '../format-time'
import { useNow } from '../now-clock'
import type { Zone } from '../time-range'

export type TooltipRow = { label: string; value: string; fill?: string }

type Props = {
  at: number
  bucketMs: number
  zone: Zone
  rows: readonly TooltipRow[]
  note?: string | undefined
}

/** One bucket in figures. */
export function ChartTooltip({ at, bucketMs, zone, rows, note }: Props) {
  const [from, to] = [new Date(at), new Date(at + bucketMs)]
  const today = sameDay(from, new Date(useNow()), zone)
  return (
    <div className="min-w-44 rounded-m border border-line-strong bg-raised px-3 py-2 text-s shadow-raised">
      <p className="mb-1 font-medium">
        {today ? clockText(from, zone) : dayClockText(from, zone)} – {clockText(to, zone)}{' '}
        {zoneText(from, zone)}
      </p>
      <dl className="grid grid-cols-[1fr_auto] gap-x-4">
        {rows.map((row) => (
          <div key={row.label} className="col-span-2 grid grid-cols-subgrid">
            <dt className="flex items-center gap-1.5 text-ink-2">
              {row.fill !== undefined && (
                <span aria-hidden="true" className="size-2 rounded-[2px]" style={{ background: row.fill }} />
              )}
              {row.label}
            </dt>
            <dd className="text-right">{row.value}</dd>
          </div>
        ))}
      </dl>
      {note !== undefined && <p className="mt-1 text-ink-3">{note}</p>}
    </div>
  )
}
