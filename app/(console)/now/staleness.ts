import type { TimeRange } from '@/app/_ui/time-range'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import type { Freshness } from '@/lib/telemetry/read/freshness'

export type Stale = { who: string; since: string }

/**
 * Why the figures of this range cannot be called good: a service that sent within it, or all of them, fell silent
 * before it ended. Null = nothing of the kind.
 */
export function staleTelemetry(freshness: readonly Freshness[], range: TimeRange): Stale | null {
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

/** The store whose locks are not known now. */
export function staleStore(sources: readonly SourceView[]): Stale | null {
  const bad = sources.find(
    ({ kind, enabled, state }) => kind === 'intent' && enabled && (state === 'stale' || state === 'down'),
  )
  return bad?.lastOkAt ? { who: `${bad.name} cannot be read`, since: bad.lastOkAt } : null
}

export const hasStore = (sources: readonly SourceView[]): boolean =>
  sources.some(({ kind, enabled, state }) => kind === 'intent' && enabled && state !== 'never')
