import type { UserContext } from '@/app/_server/context'
import { type Outage, readOutages } from '@/lib/conditions/read-outages'
import { readRequestTotals } from '@/lib/telemetry/read/requests/request-totals'

/** An outage longer ago than this needs no hint any more. */
const SHOWN_FOR_MS = 86_400_000
const OUTAGES_COUNTED_MAX = 5

/** What happened to requests in that time, as the service told it; null = nothing was told. */
export type Unprotected = { bypassed: bigint; refused: bigint; all: bigint }
export type SeenOutage = Outage & { requests: Unprotected | null }

/** The outages of the last day, each with the requests that were admitted without protection in it. */
export async function readSeenOutages(ctx: UserContext, now: Date): Promise<Map<string, SeenOutage>> {
  const recent = (await readOutages(ctx.db)).filter(
    ({ to }) => to === null || now.getTime() - Date.parse(to) < SHOWN_FOR_MS,
  )
  const seen = await Promise.all(
    recent.slice(0, OUTAGES_COUNTED_MAX).map(async (outage): Promise<SeenOutage> => {
      const window = { from: new Date(outage.from), to: outage.to === null ? now : new Date(outage.to) }
      const totals = await readRequestTotals(ctx.db, window)
      const of = (outcome: string) => totals.find((row) => row.outcome === outcome)?.requests ?? 0n
      const all = totals.reduce((sum, { requests }) => sum + requests, 0n)
      const requests = all === 0n ? null : { bypassed: of('bypassed'), refused: of('store_error'), all }
      return { ...outage, requests }
    }),
  )
  return new Map(seen.map((outage) => [outage.source, outage]))
}
