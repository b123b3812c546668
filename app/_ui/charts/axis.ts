import type { ChartMark } from '@/lib/core/chart-mark'
import { clockText, dayText } from '../format-time'
import type { Zone } from '../time-range'

const MINUTE_MS = 60_000
const DAY_MS = 1440 * MINUTE_MS
const STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 20_160, 43_200, 129_600,
].map((m) => m * MINUTE_MS)

/** Round moments among the buckets, few enough to be read. */
export function timeTicks(starts: readonly number[], ticksMax: number): number[] {
  const [first, last] = [starts[0], starts.at(-1)]
  if (first === undefined || last === undefined) return []
  const stepMs = STEPS_MS.find((step) => (last - first) / step <= ticksMax) ?? STEPS_MS.at(-1) ?? DAY_MS
  return starts.filter((at) => at % stepMs === 0)
}

/** The hour within a day or two, the day beyond. */
export function tickText(at: number, zone: Zone, starts: readonly number[]): string {
  const spanMs = (starts.at(-1) ?? at) - (starts[0] ?? at)
  const date = new Date(at)
  return spanMs > 2 * DAY_MS ? dayText(date, zone) : clockText(date, zone)
}

/** The buckets in which something was deployed. */
export const deployBuckets = (marks: readonly ChartMark[], starts: readonly number[]): number[] => [
  ...new Set(
    marks.flatMap(({ at, kind }) => {
      const bucket = kind === 'deploy' ? bucketOf(at, starts) : null
      return bucket === null ? [] : [bucket]
    }),
  ),
]

/** The bucket in which a moment lies; null outside of all. */
function bucketOf(at: number, starts: readonly number[]): number | null {
  const step = (starts[1] ?? 0) - (starts[0] ?? 0)
  const start = starts.findLast((each) => each <= at)
  return start !== undefined && (step <= 0 || at < start + step) ? start : null
}
