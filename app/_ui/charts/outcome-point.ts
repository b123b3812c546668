/** One bucket of requests, as the browser gets it. */
export type OutcomePoint = {
  /** Start, in milliseconds since the epoch. */
  at: number
  executed: number
  replayed: number
  conflict: number
  again: number
  held: number
  other: number
  /** False = nothing arrived: a gap, not a zero. */
  ingested: boolean
  /** False = still counting. */
  complete: boolean
}

/** From the bottom of the stack to its top. */
export const OUTCOMES = [
  { key: 'executed', label: 'Executed', fill: 'var(--executed)' },
  { key: 'replayed', label: 'Replayed', fill: 'var(--replayed)' },
  { key: 'conflict', label: 'Conflict', fill: 'var(--conflict)' },
  { key: 'held', label: 'Held', fill: 'var(--processing)' },
  { key: 'other', label: 'Store not asked or failed', fill: 'var(--warning)' },
  { key: 'again', label: 'Executed again', fill: 'var(--bad)' },
] as const

/** Those that are not always there have no place in the legend until they are. */
const RARE: ReadonlySet<keyof OutcomePoint> = new Set(['held', 'other'])

export const outcomesOf = (points: readonly OutcomePoint[]) =>
  OUTCOMES.filter(({ key }) => !RARE.has(key) || points.some((point) => point[key] > 0))

export type RatePoint = {
  at: number
  numerator: string
  denominator: string
  rate: number | null
  complete: boolean
}

export const CHART_HEIGHT = 200
