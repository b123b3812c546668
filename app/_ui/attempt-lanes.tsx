'use client'

import { durationText } from '@/lib/core/format-figure'
import { classNames } from './class-names'
import { PageLink } from './page-link'

/** A moment on a lane: an effect, or how it ended. */
export type LaneDot = { at: string; label: string; tone: 'accent' | 'bad' }

export type Lane = {
  id: string
  /** "Attempt 1" */
  label: string
  /** Who it was, beneath: "k2". */
  note?: string
  from: string
  to: string
  /** Written on the bar where it fits, else beside it. */
  text: string
  fill: string
  href?: string
  dots: readonly LaneDot[]
}

export type LaneMark = { at: string; label: string }

const TICKS = [0, 0.25, 0.5, 0.75, 1]
/** A bar narrower than this share of the width has its text beside it. */
const TEXT_FITS = 0.12

/** The attempts of one key under each other, on one axis of time. */
export function AttemptLanes({
  lanes,
  marks = [],
  caption,
}: {
  lanes: readonly Lane[]
  marks?: readonly LaneMark[]
  caption: string
}) {
  const times = [
    ...lanes.flatMap(({ from, to, dots }) => [from, to, ...dots.map(({ at }) => at)]),
    ...marks.map(({ at }) => at),
  ].map((at) => Date.parse(at))
  const start = Math.min(...times)
  const span = Math.max(1, Math.max(...times) - start)
  const place = (at: string) => (Date.parse(at) - start) / span
  return (
    <figure className="px-4 pt-3 pb-3">
      <figcaption className="sr-only">{caption}</figcaption>
      <div className="grid grid-cols-[7rem_minmax(0,1fr)] max-md:grid-cols-[4.75rem_minmax(0,1fr)]">
        <div />
        <div className="relative h-4">
          {marks.map(({ at, label }) => (
            <span
              key={label + at}
              style={{ left: `${place(at) * 100}%` }}
              className={classNames(
                'absolute whitespace-nowrap text-warn-ink text-xs',
                place(at) > 0.5 ? '-translate-x-full pr-1' : 'pl-1',
              )}
            >
              {label}
            </span>
          ))}
        </div>
        {lanes.map((lane) => (
          <LaneRow key={lane.id} lane={lane} marks={marks} place={place} />
        ))}
        <div />
        <div className="relative mt-1 h-4 text-ink-3 text-xs" aria-hidden="true">
          {TICKS.map((tick) => (
            <span
              key={tick}
              style={{ left: `${tick * 100}%` }}
              className={classNames(
                'absolute whitespace-nowrap',
                tick === 1 ? '-translate-x-full' : tick > 0 && '-translate-x-1/2',
                (tick === 0.25 || tick === 0.75) && 'max-md:hidden',
              )}
            >
              +{offsetText(span * tick, span)}
            </span>
          ))}
        </div>
      </div>
    </figure>
  )
}

function LaneRow({
  lane,
  marks,
  place,
}: {
  lane: Lane
  marks: readonly LaneMark[]
  place: (at: string) => number
}) {
  const from = place(lane.from)
  const width = Math.max(0, place(lane.to) - from)
  const fits = width >= TEXT_FITS
  // A dot at the beginning of a bar would lie on its text.
  const early = lane.dots.some(({ at }) => place(at) < from + width / 2)
  return (
    <>
      <div className="flex min-w-0 flex-col justify-end pr-2 pb-0.5 leading-[18px]">
        {lane.href === undefined ? (
          <span className="truncate text-ink-2">{lane.label}</span>
        ) : (
          <PageLink href={lane.href} className="truncate font-medium text-accent-ink hover:underline">
            {lane.label}
          </PageLink>
        )}
        {lane.note !== undefined && (
          <span className="truncate text-ink-3 text-xs" title={lane.note}>
            {lane.note}
          </span>
        )}
      </div>
      <div className="relative h-11 border-line border-l">
        {TICKS.slice(1).map((tick) => (
          <span
            key={tick}
            aria-hidden="true"
            style={{ left: `${tick * 100}%` }}
            className="absolute inset-y-0 border-line border-l"
          />
        ))}
        {marks.map(({ at, label }) => (
          <span
            key={label + at}
            aria-hidden="true"
            style={{ left: `${place(at) * 100}%` }}
            className="absolute inset-y-0 border-warning border-l border-dashed"
          />
        ))}
        <span
          style={{ left: `${from * 100}%`, width: `max(4px, ${width * 100}%)`, background: lane.fill }}
          className="absolute bottom-2 h-4 rounded-[3px]"
        />
        <span
          title={lane.text}
          style={textPlace({ from, width, fits, early })}
          className={classNames(
            'absolute truncate text-xs',
            // On a ground of its own: bars have every colour, and text must be read on each, in both themes.
            fits
              ? 'bottom-[9px] mx-0.5 rounded-[2px] bg-surface px-1 text-ink leading-[14px]'
              : 'bottom-2 px-1.5 text-ink-2 leading-4',
          )}
        >
          {lane.text}
        </span>
        {lane.dots.map((dot) => (
          <span key={dot.label + dot.at}>
            <span
              aria-hidden="true"
              style={{ left: `calc(${place(dot.at) * 100}% - 5px)` }}
              className={classNames(
                'absolute bottom-[11px] size-2.5 rounded-full border-2 border-surface',
                dot.tone === 'bad' ? 'bg-bad' : 'bg-accent',
              )}
            />
            <span
              style={{ left: `${place(dot.at) * 100}%` }}
              className={classNames(
                'absolute top-0.5 whitespace-nowrap font-mono text-ink-2 text-xs',
                place(dot.at) > 0.6 && '-translate-x-full',
              )}
            >
              {dot.label}
            </span>
          </span>
        ))}
      </div>
    </>
  )
}

/** On the bar where it fits, at the end that no dot lies on; else beside it, on the side with more room, and within it. */
function textPlace(bar: { from: number; width: number; fits: boolean; early: boolean }) {
  const { from, width, fits, early } = bar
  const to = from + width
  const percent = (share: number) => `${share * 100}%`
  if (fits) {
    return early
      ? { right: percent(1 - to), maxWidth: percent(to) }
      : { left: percent(from), maxWidth: percent(1 - from) }
  }
  return from > 1 - to
    ? { right: percent(1 - from), maxWidth: percent(from) }
    : { left: percent(to), maxWidth: percent(1 - to) }
}

/** 12.5 s, 340 ms, 4 min: as fine as the whole deserves. */
function offsetText(ms: number, spanMs: number): string {
  if (spanMs < 2_000) return `${Math.round(ms)} ms`
  if (spanMs < 120_000) return `${(ms / 1000).toLocaleString('en-US', { maximumFractionDigits: 1 })} s`
  return durationText(ms)
}
