import type { NowData } from './read-now'

/** More points than this are closer than a pixel. */
const POINTS_MAX = 48

/** The buckets of the range, grouped so that a spark has room for them. */
function groups(data: NowData): { fromMs: number; toMs: number }[] {
  const { buckets, bucketSeconds } = data.outcomes
  const size = Math.max(1, Math.ceil(buckets.length / POINTS_MAX))
  const made: { fromMs: number; toMs: number }[] = []
  for (let index = 0; index < buckets.length; index += size) {
    const [first, last] = [buckets[index], buckets[Math.min(index + size, buckets.length) - 1]]
    if (first && last)
      made.push({ fromMs: first.at.getTime(), toMs: last.at.getTime() + bucketSeconds * 1000 })
  }
  return made
}

const within =
  ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
  ({ at }: { at: Date }): boolean =>
    at.getTime() >= fromMs && at.getTime() < toMs

/** Null where nothing was counted: a gap, not a zero. */
export function rateSpark(data: NowData, id: 'M1' | 'M2' | 'M3'): (number | null)[] {
  return groups(data).map((group) => {
    const points = data.rates[id].points.filter(within(group))
    const denominator = points.reduce((sum, point) => sum + Number(point.denominator), 0)
    const numerator = points.reduce((sum, point) => sum + Number(point.numerator), 0)
    return denominator === 0 ? null : numerator / denominator
  })
}

/** The worst P95 of each group: percentiles do not add up. */
export function latencySpark(data: NowData): (number | null)[] {
  return groups(data).map((group) => {
    const points = data.latency.points.filter(within(group))
    return points.length === 0 ? null : Math.max(...points.map(({ p95Ms }) => p95Ms))
  })
}

/** How many of the orphans that are open now had been found by then. */
export function countSpark(data: NowData): number[] {
  const found = data.orphans.effects.map(({ orphanAt, time }) => (orphanAt ?? time).getTime())
  return groups(data).map(({ toMs }) => found.filter((at) => at < toMs).length)
}
