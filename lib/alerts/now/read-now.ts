import type { ReadContext } from '@/lib/context'
import { countUnseenDuplicates } from '@/lib/effects/count-unseen'
import { readAtRisk } from '@/lib/effects/read-at-risk'
import { countLocks, listLocks } from '@/lib/locks/list-locks'
import { listSources } from '@/lib/mirror/read/list-sources'
import { countCases } from '@/lib/reconcile/cases/count-cases'
import { MEASURES } from '@/lib/telemetry/measures/measure'
import { readDeploys } from '@/lib/telemetry/read/deploys'
import type { Freshness } from '@/lib/telemetry/read/freshness'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { readLatencySeries } from '@/lib/telemetry/read/requests/latency-series'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { EFFECT_DAYS } from '@/lib/telemetry/retention'
import { DAY_MS } from '@/lib/telemetry/window'
import { readAcknowledgements } from '../acknowledge/read'
import type { Firing } from '../read-firing'
import { readConsoleMeasures } from '../read-measures'

export const ENDPOINTS_SHOWN = 4
/** Of one service, to compare its versions. */
const VERSIONS_SHOWN = 30
/** A deploy this long before a condition began is named with it. */
export const DEPLOY_NEAR_MS = 15 * 60_000
const LISTED_MAX = 200

export type NowData = Awaited<ReturnType<typeof readNow>>

type Asked = {
  range: { from: Date; to: Date }
  now: Date
  /** What the bar says too: read once. */
  freshness: Promise<Freshness[]>
  conditions: Promise<Firing[]>
  /** Whose endpoints are compared by version; null = the worst of all. */
  service: string | null
}

/** Everything that Now says, read side by side. */
export async function readNow(ctx: ReadContext, { range, now, freshness, conditions, service }: Asked) {
  const { db } = ctx
  const window = { from: range.from, to: range.to }
  const everOpen = {
    from: new Date(now.getTime() - EFFECT_DAYS * DAY_MS),
    to: new Date(now.getTime() + DAY_MS),
  }
  const [measures, series, live, records, about] = await Promise.all([
    readConsoleMeasures(ctx, window),
    readSeries(db, window, now),
    Promise.all([
      countLocks(db, now, MEASURES.M4.target),
      listLocks(db, { stuckOnly: true }, { limit: LISTED_MAX }, now),
      readAtRisk(db, { kind: 'orphan', openOnly: true, ...everOpen }),
    ]),
    Promise.all([
      readAtRisk(db, { kind: 'duplicate', ...window }),
      readEndpoints(db, {
        ...window,
        ...(service === null ? { limit: ENDPOINTS_SHOWN } : { limit: VERSIONS_SHOWN, service }),
      }),
      readDeploys(db, { from: new Date(window.from.getTime() - DEPLOY_NEAR_MS), to: window.to }),
      countCases(db, now),
      countUnseenDuplicates(ctx, window),
    ]),
    Promise.all([freshness, conditions, listSources(db, now), readAcknowledgements(db, now)]),
  ])
  const [locks, stuck, orphans] = live
  const [duplicates, endpoints, deploys, cases, unseenDuplicates] = records
  return {
    range: window,
    now,
    measures,
    ...series,
    locks: { ...locks, stuckItems: stuck.items },
    orphans,
    duplicates,
    /** Of the range, besides those that spans told of. */
    unseenDuplicates,
    endpoints: { ...endpoints, service },
    deploys,
    openCases: { all: cases.open, p1: cases.bySeverity.P1 ?? 0 },
    freshness: about[0],
    conditions: about[1],
    sources: about[2],
    /** Who looks after an alert. */
    acknowledgedBy: about[3],
  }
}

async function readSeries(db: ReadContext['db'], window: { from: Date; to: Date }, now: Date) {
  const [outcomes, duplicateEffects, duplicateRequests, storeErrors, latency] = await Promise.all([
    readOutcomeSeries(db, window, now),
    readRateSeries(db, { ...window, measure: 'M2' }),
    readRateSeries(db, { ...window, measure: 'M1' }),
    readRateSeries(db, { ...window, measure: 'M3' }),
    readLatencySeries(db, window),
  ])
  return { outcomes, rates: { M1: duplicateRequests, M2: duplicateEffects, M3: storeErrors }, latency }
}
