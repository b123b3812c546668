'use client'

import { CircleAlert, KeyRound, Zap } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { latencyText, plural } from '@/lib/core/format-figure'
import type { WaterfallRow } from '@/lib/core/waterfall-row'
import { classNames } from '../class-names'
import { QueryLink } from '../page-link'
import { type PackedRows, unpackRows } from './packed-rows'

const ROW_PX = 32
/** Rows beyond the edge that are drawn too, so that scrolling shows no gap. */
const AHEAD = 12
const HEIGHT_MAX_PX = 640
const INDENT_PX = 14
const DEPTH_SHOWN_MAX = 12
const TICKS = [0, 0.25, 0.5, 0.75, 1]

/** The spans of a trace on one axis. Only what is in sight is drawn, so that 10,000 are as quick as ten. */
export function Waterfall({
  packed,
  totalMs,
  chosen,
}: {
  packed: PackedRows
  totalMs: number
  chosen: string | null
}) {
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const { rows } = packed
  const place = rows.findIndex(([key]) => key === chosen)
  const height = Math.min(HEIGHT_MAX_PX, rows.length * ROW_PX)
  useEffect(() => {
    // The chosen span may be far down: it is brought into sight once.
    if (box.current !== null && place * ROW_PX > HEIGHT_MAX_PX - ROW_PX)
      box.current.scrollTop = (place - 4) * ROW_PX
  }, [place])
  const from = Math.max(0, Math.floor(top / ROW_PX) - AHEAD)
  const to = Math.min(rows.length, Math.ceil((top + height) / ROW_PX) + AHEAD)
  return (
    <figure aria-label="Waterfall of spans" className="px-4 pb-3">
      <div className="grid grid-cols-[minmax(180px,34%)_minmax(0,1fr)] text-ink-3 text-xs max-md:grid-cols-[55%_1fr]">
        <span className="py-1">{plural(rows.length, 'span')}</span>
        <div aria-hidden="true" className="relative h-6">
          {TICKS.map((tick) => (
            <span
              key={tick}
              style={{ left: `${tick * 100}%` }}
              className={classNames(
                'absolute top-1 whitespace-nowrap',
                tick === 1 ? '-translate-x-full' : tick > 0 && '-translate-x-1/2',
                (tick === 0.25 || tick === 0.75) && 'max-md:hidden',
              )}
            >
              {tick === 0 ? '0' : latencyText(totalMs * tick)}
            </span>
          ))}
        </div>
      </div>
      <section
        ref={box}
        aria-label="Spans"
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        style={{ height }}
        className="overflow-y-auto"
      >
        <ul style={{ height: rows.length * ROW_PX }} className="relative">
          {unpackRows(packed, from, to).map((row, index) => (
            <li
              key={row.key}
              style={{ top: (from + index) * ROW_PX, height: ROW_PX }}
              className="absolute inset-x-0"
              aria-setsize={rows.length}
              aria-posinset={from + index + 1}
            >
              <SpanLine row={row} totalMs={totalMs} chosen={row.key === chosen} />
            </li>
          ))}
        </ul>
      </section>
    </figure>
  )
}

function SpanLine({ row, totalMs, chosen }: { row: WaterfallRow; totalMs: number; chosen: boolean }) {
  const scale = Math.max(totalMs, 0.001)
  const left = row.startMs / scale
  const width = row.durationMs / scale
  const late = left + width > 0.8
  const Mark = row.failed ? CircleAlert : row.mark === 'effect' ? Zap : row.mark === 'key' ? KeyRound : null
  return (
    <QueryLink
      set={{ span: row.key }}
      scroll={false}
      replace
      aria-current={chosen ? 'true' : undefined}
      className={classNames(
        'grid h-full grid-cols-[minmax(180px,34%)_minmax(0,1fr)] items-center rounded-s max-md:grid-cols-[55%_1fr]',
        chosen ? 'bg-accent-soft' : 'hover:bg-sunken',
      )}
    >
      <span
        className="flex min-w-0 items-center gap-1.5 pr-3"
        style={{ paddingLeft: Math.min(row.depth, DEPTH_SHOWN_MAX) * INDENT_PX + 4 }}
      >
        {Mark !== null && (
          <Mark
            size={13}
            aria-hidden="true"
            className={classNames('shrink-0', row.failed ? 'text-bad' : 'text-ink-2')}
          />
        )}
        <span className="truncate font-medium" title={row.name}>
          {row.name}
        </span>
        <span className="shrink-0 text-ink-3 text-xs max-md:hidden">{row.service}</span>
        <span className="sr-only">
          {row.failed ? ', failed' : ''}, {latencyText(row.durationMs)}
        </span>
      </span>
      <span aria-hidden="true" className="relative block h-full border-line border-l">
        <span
          style={{ left: `${left * 100}%`, width: `max(3px, ${width * 100}%)` }}
          className={classNames(
            'absolute top-1/2 h-3 -translate-y-1/2 rounded-[3px]',
            row.failed
              ? 'bg-bad'
              : row.mark === 'effect'
                ? 'bg-conflict'
                : row.mark === 'key'
                  ? 'bg-executed'
                  : 'bg-replayed',
          )}
        />
        <span
          style={late ? { right: `${(1 - left) * 100}%` } : { left: `${(left + width) * 100}%` }}
          className="absolute top-1/2 -translate-y-1/2 whitespace-nowrap px-1.5 text-ink-2 text-xs"
        >
          {latencyText(row.durationMs)}
        </span>
      </span>
    </QueryLink>
  )
}
