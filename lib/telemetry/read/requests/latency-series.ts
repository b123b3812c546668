import type { Db } from '@/lib/db'
import { type Count, toCount } from '@/lib/telemetry/measures/measure'
import { bucketValueMs } from '@/lib/telemetry/rollup/histogram'
import { bucketSeconds, type TelemetryWindow, toMinutes } from '@/lib/telemetry/window'
import { readLatencySteps } from './latency-buckets'

export type LatencyPoint = { at: Date; p50Ms: number; p95Ms: number; p99Ms: number; count: Count }

/** Intent-to-final latency, in points that a chart can show or one each `stepSeconds`; a bucket in which no key ended has no point. */
export async function readLatencySeries(
  db: Db,
  asked: TelemetryWindow & { stepSeconds?: number },
): Promise<{ bucketSeconds: number; points: LatencyPoint[] }> {
  const window = toMinutes(asked)
  const step = asked.stepSeconds ?? bucketSeconds(window.from, window.to)
  const rows = await readLatencySteps(db, window, step)
  const points = rows.map(({ at, count, p50, p95, p99 }) => ({
    at,
    p50Ms: bucketValueMs(p50),
    p95Ms: bucketValueMs(p95),
    p99Ms: bucketValueMs(p99),
    count: toCount(count),
  }))
  return { bucketSeconds: step, points }
}
