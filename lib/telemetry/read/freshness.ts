import { z } from 'zod'
import type { Stale } from '@/lib/core/verdict'
import type { Db } from '@/lib/db'
import { readRows } from './rows'

/** A service that sent nothing for this long is stale: its figures are neither green nor 0. */
export const STALE_AFTER_MS = 60_000

export type Freshness = {
  service: string
  environment: string
  firstSpanAt: Date
  lastSpanAt: Date
  lastReceivedAt: Date
  ageMs: number
  stale: boolean
}

const rowSchema = z.object({
  service: z.string(),
  environment: z.string(),
  first_span_at: z.date(),
  last_span_at: z.date(),
  last_received_at: z.date(),
})

const SQL = `
  SELECT service, environment, first_span_at, last_span_at, last_received_at
  FROM telemetry.service ORDER BY last_received_at, service LIMIT 1000`

/** Each service's last sign of life, the stalest first. `ageMs` counts from what was received. */
export async function readFreshness(db: Db, now: Date, staleAfterMs = STALE_AFTER_MS): Promise<Freshness[]> {
  const rows = await readRows(db.pool, rowSchema, SQL, [])
  return rows.map((row) => {
    const ageMs = Math.max(0, now.getTime() - row.last_received_at.getTime())
    return {
      service: row.service,
      environment: row.environment,
      firstSpanAt: row.first_span_at,
      lastSpanAt: row.last_span_at,
      lastReceivedAt: row.last_received_at,
      ageMs,
      stale: ageMs > staleAfterMs,
    }
  })
}

/**
 * Why the figures of this range cannot be called good: a service that sent within it, or all of them, fell silent
 * before it ended. Null = nothing of the kind.
 */
export function staleTelemetry(
  freshness: readonly Freshness[],
  range: { from: Date; to: Date },
): Stale | null {
  const silent = freshness.filter(({ stale, lastReceivedAt }) => stale && lastReceivedAt < range.to)
  const inRange = silent.filter(({ lastReceivedAt }) => lastReceivedAt >= range.from)
  const concerned = silent.length === freshness.length ? silent : inRange
  // The stalest comes first; the one that fell silent last is the news.
  const last = concerned.at(-1)
  if (last === undefined) return null
  const who =
    silent.length === freshness.length
      ? 'no service sends'
      : concerned.length === 1
        ? `${last.service} is silent`
        : `${concerned.length} services are silent`
  return { who, since: last.lastReceivedAt.toISOString() }
}
