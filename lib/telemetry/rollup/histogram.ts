/** Bucket b holds latencies in (γ^(b−1), γ^b] µs and is read as 2γ^b/(γ+1): off by at most (γ−1)/(γ+1) = 0.99 %. */
const GAMMA = 1.02
/** The bound on the error of a percentile. */
export const PERCENTILE_ERROR_MAX = (GAMMA - 1) / (GAMMA + 1)

/** The same bucketing in SQL; `duration` is an interval. Anything at or under 1 µs is bucket 0. */
export function bucketSql(duration: string): string {
  return `ceil(ln(greatest(extract(epoch FROM ${duration}) * 1000000, 1)) / ln(${GAMMA}::numeric))::smallint`
}

export type Bucket = { bucket: number; count: bigint }

/** What a latency in this bucket is read as. */
export function bucketValueMs(bucket: number): number {
  return (2 * GAMMA ** bucket) / (GAMMA + 1) / 1000
}

/** The value at rank ⌈q·n⌉, within PERCENTILE_ERROR_MAX; null without counts. Buckets must ascend. */
export function percentileMs(buckets: readonly Bucket[], quantile: number): number | null {
  const total = buckets.reduce((sum, each) => sum + each.count, 0n)
  if (total === 0n) return null
  const rank = BigInt(Math.max(1, Math.ceil(quantile * Number(total))))
  let seen = 0n
  for (const each of buckets) {
    seen += each.count
    if (seen >= rank) return bucketValueMs(each.bucket)
  }
  return null
}
