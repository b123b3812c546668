import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRequestTotals } from '@/lib/telemetry/read/requests/request-totals'

/** When a source could not be read: from its last answer to the first one after. */
export type Outage = {
  source: string
  from: string
  /** Null = it goes on. */
  to: string | null
}

const detailSchema = z.object({ lastOkAt: z.iso.datetime().nullish() })
const SOURCES_MAX = 200

/** The latest outage of each source that had one; an earlier one is overwritten by the next. */
export async function readOutages(db: Db): Promise<Outage[]> {
  const rows = await db.prisma.condition.findMany({
    where: { kind: 'stale_source' },
    orderBy: { since: 'desc' },
    take: SOURCES_MAX,
  })
  return rows.map(({ subject, since, state, clearedAt, detail }) => ({
    source: subject,
    from: detailSchema.parse(detail).lastOkAt ?? since.toISOString(),
    to: state === 'firing' ? null : (clearedAt?.toISOString() ?? null),
  }))
}

/** An outage longer ago than this needs no hint any more. */
const SHOWN_FOR_MS = 86_400_000
const OUTAGES_COUNTED_MAX = 5

/** What happened to requests in that time, as the service told it; null = nothing was told. */
export type Unprotected = { bypassed: bigint; refused: bigint; all: bigint }
export type SeenOutage = Outage & { requests: Unprotected | null }

/** The outages of the last day, each with the requests that were admitted without protection in it. */
export async function readSeenOutages(db: Db, now: Date): Promise<Map<string, SeenOutage>> {
  const recent = (await readOutages(db)).filter(
    ({ to }) => to === null || now.getTime() - Date.parse(to) < SHOWN_FOR_MS,
  )
  const seen = await Promise.all(
    recent.slice(0, OUTAGES_COUNTED_MAX).map(async (outage): Promise<SeenOutage> => {
      const window = { from: new Date(outage.from), to: outage.to === null ? now : new Date(outage.to) }
      const totals = await readRequestTotals(db, window)
      const of = (outcome: string) => totals.find((row) => row.outcome === outcome)?.requests ?? 0n
      const all = totals.reduce((sum, { requests }) => sum + requests, 0n)
      const requests = all === 0n ? null : { bypassed: of('bypassed'), refused: of('store_error'), all }
      return { ...outage, requests }
    }),
  )
  return new Map(seen.map((outage) => [outage.source, outage]))
}
