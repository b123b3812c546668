import type { Db } from '@/lib/db'
import { percentileMs } from '../histogram'
import { type Count, toCount } from '../measure'
import { bucketSeconds, type TelemetryWindow, toMinutes } from '../window'
import { type LatencyRow, readLatencyBuckets } from './latency-buckets'

export type LatencyPoint = { at: Date; p50Ms: number; p95Ms: number; p99Ms: number; count: Count }

/** Intent-to-final latency; a bucket in which no key ended has no point. */
export async function readLatencySeries(
  db: Db,
  asked: TelemetryWindow,
): Promise<{ bucketSeconds: number; points: LatencyPoint[] }> {
  const window = toMinutes(asked)
  const step = bucketSeconds(window.from, window.to)
  const byStart = new Map<number, LatencyRow[]>()
  for (const row of await readLatencyBuckets(db, window, step)) {
    const rows = byStart.get(row.at.getTime())
    if (rows) rows.push(row)
    else byStart.set(row.at.getTime(), [row])
  }
  const points = [...byStart].map(([atMs, rows]) => ({
    at: new Date(atMs),
    p50Ms: percentileMs(rows, 0.5) ?? 0,
    p95Ms: percentileMs(rows, 0.95) ?? 0,
    p99Ms: percentileMs(rows, 0.99) ?? 0,
    count: toCount(rows.reduce((sum, row) => sum + row.count, 0n)),
  }))
  return { bucketSeconds: step, points }
}
