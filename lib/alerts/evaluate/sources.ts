import type { Finding } from '@/lib/conditions/write-conditions'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import type { Family } from './family'

const readable: Family = {
  kinds: ['store_down', 'stale_source', 'unread_rows'],
  async find({ ctx, now }) {
    const sources = (await listSources(ctx.db, now)).filter(({ enabled }) => enabled)
    return sources.flatMap((source) => [...unreadable(source), ...unread(source)])
  },
}

/** A store that cannot be read is worse than another source: whether its keys are stuck is not known. */
function unreadable({ id, name, system, kind, state, lastOkAt, lastError }: SourceView): Finding[] {
  if (state !== 'down' && state !== 'stale') return []
  const detail = { name, system, state, lastOkAt, error: lastError }
  return [
    { kind: 'stale_source', subject: id, detail },
    ...(kind === 'intent' ? [{ kind: 'store_down' as const, subject: id, detail }] : []),
  ]
}

/** Rows that are there and from which nothing is concluded, or whose like may not be read. */
function unread({ id, name, system, notUnderstood, readLate }: SourceView): Finding[] {
  const latest = notUnderstood ?? readLate
  if (latest === null) return []
  const detail = {
    name,
    system,
    notUnderstood: notUnderstood?.count ?? null,
    late: readLate?.count ?? null,
    latestId: latest.latestId,
    reason: latest.latestReason,
  }
  return [{ kind: 'unread_rows', subject: id, detail }]
}

const heard: Family = {
  kinds: ['stale_telemetry'],
  async find({ ctx, now }) {
    const services = await readFreshness(ctx.db, now)
    return services
      .filter(({ stale }) => stale)
      .map(
        ({ service, environment, lastReceivedAt }): Finding => ({
          kind: 'stale_telemetry',
          subject: service,
          detail: { service, environment, lastReceivedAt: lastReceivedAt.toISOString() },
        }),
      )
  },
}

export const sources: readonly Family[] = [readable, heard]
