'use client'

import type { ChartMark } from '@/lib/core/chart-mark'
import { PageLink } from '../page-link'

/** Wide enough for a finger on a phone; the glyphs within stand where they belong. */
const SLOTS = 12
const GLYPHS_A_SLOT = 4
const LABELS_MAX = 3
const LISTED_MAX = 6
const WEIGHT: Record<ChartMark['kind'], number> = { action: 0, deploy: 1, run: 2 }

type Props = {
  marks: readonly ChartMark[]
  fromMs: number
  toMs: number
  /** The chart's own margins, in pixels. */
  left: number
  right: number
}

/** Actions, runs and deploys above a chart, each a way to where it is recorded. */
export function MarkRail({ marks, fromMs, toMs, left, right }: Props) {
  const span = Math.max(1, toMs - fromMs)
  // What lies within the last bucket stands at its edge.
  const placed = marks
    .filter(({ at }) => at >= fromMs)
    .map((mark) => ({ ...mark, at: Math.min(mark.at, toMs - 1) }))
  const slots = Array.from({ length: SLOTS }, (_, slot) => ({
    slot,
    within: placed.filter(({ at }) => Math.floor(((at - fromMs) / span) * SLOTS) === slot),
  })).filter(({ within }) => within.length > 0)
  const labelled = placed.filter(({ kind }) => kind === 'deploy').slice(-LABELS_MAX)
  return (
    <nav aria-label="Marks on the chart" className="absolute top-0 z-[1] h-6" style={{ left, right }}>
      {slots.map(({ slot, within }) => (
        <Slot key={slot} slot={slot} marks={within} share={(at) => ((at - fromMs) / span) * SLOTS - slot} />
      ))}
      {labelled.map(({ at, label }) => {
        const share = (at - fromMs) / span
        return (
          <span
            key={`${at} ${label}`}
            aria-hidden="true"
            style={share > 0.5 ? { right: `${(1 - share) * 100}%` } : { left: `${share * 100}%` }}
            className="pointer-events-none absolute top-1 whitespace-nowrap px-2.5 text-ink-2 text-xs"
          >
            {label}
          </span>
        )
      })}
    </nav>
  )
}

type SlotProps = { slot: number; marks: readonly ChartMark[]; share: (at: number) => number }

function Slot({ slot, marks, share }: SlotProps) {
  const sorted = [...marks].sort((a, b) => WEIGHT[a.kind] - WEIGHT[b.kind])
  const [first] = sorted
  if (first === undefined) return null
  const more = marks.length > LISTED_MAX ? `\nand ${marks.length - LISTED_MAX} more` : ''
  const words = sorted
    .slice(0, LISTED_MAX)
    .map(({ label }) => label)
    .join('\n')
  return (
    <PageLink
      href={first.href}
      title={words + more}
      aria-label={words.replaceAll('\n', '; ') + more}
      data-marks={marks.length}
      style={{ left: `${(slot / SLOTS) * 100}%`, width: `${100 / SLOTS}%` }}
      className="absolute inset-y-0 rounded-s hover:bg-sunken"
    >
      {apart(marks, share).map(({ kind, left }) => (
        <span
          key={`${kind} ${left}`}
          aria-hidden="true"
          style={{ left: `${left * 100}%` }}
          className={GLYPH[kind]}
        />
      ))}
    </PageLink>
  )
}

/** What of one kind is closer than a glyph is wide is drawn once; the link's words have them all. */
function apart(marks: readonly ChartMark[], share: (at: number) => number) {
  const drawn = marks.map(({ at, kind }) => ({
    kind,
    left: (Math.floor(share(at) * GLYPHS_A_SLOT) + 0.5) / GLYPHS_A_SLOT,
  }))
  return [...new Map(drawn.map((glyph) => [`${glyph.kind} ${glyph.left}`, glyph])).values()]
}

/** Told apart by form: a ring, a diamond, a bar. */
const PLACE = 'absolute -translate-x-1/2'
const GLYPH: Record<ChartMark['kind'], string> = {
  deploy: `${PLACE} top-[9px] size-2 rounded-full border-[1.5px] border-ink-2 bg-surface`,
  action: `${PLACE} top-[9px] size-[7px] rotate-45 bg-accent`,
  run: `${PLACE} top-2.5 h-1.5 w-[3px] rounded-[1px] bg-ink-3`,
}
