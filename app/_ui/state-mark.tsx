import { CircleAlert, CircleCheck, CircleDashed, Clock3, TriangleAlert } from 'lucide-react'
import type { Standing } from '@/lib/core/verdict'
import { classNames } from './class-names'

/** How something stands. Shape and word say it besides the colour. */
export const STANDINGS = {
  ok: {
    icon: CircleCheck,
    mark: 'text-processing',
    ink: 'text-ink',
    stroke: 'var(--processing)',
    word: 'Within target',
  },
  warn: {
    icon: TriangleAlert,
    mark: 'text-warning',
    ink: 'text-warn-ink',
    stroke: 'var(--warning)',
    word: 'Attention',
  },
  bad: { icon: CircleAlert, mark: 'text-bad', ink: 'text-bad-ink', stroke: 'var(--bad)', word: 'Breach' },
  stale: { icon: Clock3, mark: 'text-ink-3', ink: 'text-ink-2', stroke: 'var(--ink-3)', word: 'Stale' },
  unknown: {
    icon: CircleDashed,
    mark: 'text-ink-3',
    ink: 'text-ink-2',
    stroke: 'var(--ink-3)',
    word: 'Not measured',
  },
} as const satisfies Record<Standing, unknown>

export function StateMark({
  standing,
  says = STANDINGS[standing].word,
  size = 14,
  className,
}: {
  standing: Standing
  /** For those who do not see it: of a target, unless given; null = the text beside it says it. */
  says?: string | null
  size?: number
  className?: string
}) {
  const { icon: Icon, mark } = STANDINGS[standing]
  return (
    <>
      <Icon
        size={size}
        strokeWidth={2.25}
        aria-hidden="true"
        className={classNames('shrink-0', mark, className)}
      />
      {says !== null && <span className="sr-only">{says}: </span>}
    </>
  )
}
