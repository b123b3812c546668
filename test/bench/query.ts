import { createHash } from 'node:crypto'
import { THROW_AWAY } from '@/jobs/supervisor/embedded/postgres'
import type { SystemContext } from '@/lib/context'
import { type Clock, manualClock, systemClock } from '@/lib/core/clock'
import { closeDatabase, type Db, openDatabase } from '@/lib/db'
import { readCausedEffects } from '@/lib/effects/read-causes'
import { countKeys } from '@/lib/keys/count-keys'
import { type KeyFilter, listKeys } from '@/lib/keys/list-keys'
import { listScopes } from '@/lib/keys/list-scopes'
import { countLocks, listLocks } from '@/lib/locks/list-locks'
import { silentLog } from '@/lib/log'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { readDeploys } from '@/lib/telemetry/read/deploys'
import { readEffectTotals } from '@/lib/telemetry/read/effects/effect-totals'
import { listEffects } from '@/lib/telemetry/read/effects/effects'
import { listKeyEffects } from '@/lib/telemetry/read/effects/key-effects'
import { readOrphanTotals } from '@/lib/telemetry/read/effects/orphan-totals'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { listKeyedRequests } from '@/lib/telemetry/read/requests/keyed-requests'
import { readLatencySeries } from '@/lib/telemetry/read/requests/latency-series'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { countTraces } from '@/lib/telemetry/read/traces/count-traces'
import { listTraces, type TraceFilter, type TraceOrder } from '@/lib/telemetry/read/traces/list-traces'
import { readTrace } from '@/lib/telemetry/read/traces/trace'
import { noQueue } from '../support/no-queue'
import { withCluster } from './cluster'
import { fillDatabase } from './query-rows'
import { atMost, type Bench, quantile, stated } from './report'

const BASE_ROWS = 1_000_000
const P95_MAX_MS = 150
const GROWTH_MAX = 1.5
/** What is over within this at both sizes is noise of the machine, whatever its ratio. */
const NOISE_MS = 5
const RUNS = 30
const WARM_UP_RUNS = 4
const HOUR_MS = 3_600_000
const RANGES = { '1 h': HOUR_MS, '24 h': 24 * HOUR_MS, '7 d': 168 * HOUR_MS } as const
const SCOPE = 'web/POST /v1/payments'

type Read = () => Promise<unknown>
type Times = Map<string, { p50: number; p95: number }>

/** Every query behind Now, Keys, Traces and Effects at 1,000,000 keyed requests and at `--rows`. */
export const bench: Bench = async ({ rows = BASE_ROWS, only }, report) => {
  const settings = [...THROW_AWAY, 'max_wal_size=16GB', 'autovacuum=off']
  await withCluster(async (cluster) => {
    const base: Times = new Map()
    if (rows > BASE_ROWS) {
      await measureAt(await cluster.createDatabase('base'), BASE_ROWS, only, (name, times) => {
        base.set(name, times)
        report(stated(`${name}, ${BASE_ROWS} rows, p95`, times.p95, 'ms'))
      })
      await cluster.dropDatabase('base')
    }
    await measureAt(await cluster.createDatabase('rows'), rows, only, (name, { p50, p95 }) => {
      report(atMost(`${name}, ${rows} rows, p95`, p95, 'ms', P95_MAX_MS))
      const before = base.get(name)
      if (before === undefined) return
      const ratio = Math.max(p50, NOISE_MS) / Math.max(before.p50, NOISE_MS)
      report(atMost(`${name}, p50 to that at ${BASE_ROWS} rows`, ratio, 'times', GROWTH_MAX))
    })
  }, settings)
}

async function measureAt(
  url: string,
  rows: number,
  only: string | undefined,
  measured: (name: string, times: { p50: number; p95: number }) => void,
): Promise<void> {
  const now = new Date(Math.floor(systemClock.now().getTime() / HOUR_MS) * HOUR_MS + 1_800_000)
  await fillDatabase(url, rows, now)
  const db = openDatabase(url, 8)
  try {
    for (const [name, read] of Object.entries(readsOf(db, now, rows))) {
      if (only !== undefined && !name.startsWith(only)) continue
      const taken: number[] = []
      for (let run = 0; run < RUNS + WARM_UP_RUNS; run++) {
        const started = performance.now()
        await read()
        if (run >= WARM_UP_RUNS) taken.push(performance.now() - started)
      }
      measured(name, { p50: quantile(taken, 0.5), p95: quantile(taken, 0.95) })
    }
  } finally {
    await closeDatabase(db)
  }
}

function readsOf(db: Db, now: Date, rows: number): Record<string, Read> {
  const reads: Record<string, Read> = {
    'now: freshness': () => readFreshness(db, now),
    'now: locks': () => countLocks(db, now, 2_000),
    'now: stuck locks': () => listLocks(db, { stuckOnly: true }, { limit: 200 }, now),
    ...keyReads(db, manualClock(now.toISOString()), rows),
  }
  for (const [range, ms] of Object.entries(RANGES)) {
    const window = { from: new Date(now.getTime() - ms), to: now }
    Object.assign(
      reads,
      nowReads(db, window, now, range),
      traceReads(db, window, rows, range),
      effectReads(db, window, range),
    )
  }
  return reads
}

type Window = { from: Date; to: Date }

const nowReads = (db: Db, window: Window, now: Date, range: string): Record<string, Read> => ({
  [`now: measures, ${range}`]: () => readMeasures(db, window, now),
  [`now: outcomes, ${range}`]: () => readOutcomeSeries(db, window, now),
  [`now: duplicate effects, ${range}`]: () => readRateSeries(db, { ...window, measure: 'M2' }),
  [`now: duplicate requests, ${range}`]: () => readRateSeries(db, { ...window, measure: 'M1' }),
  [`now: latency, ${range}`]: () => readLatencySeries(db, window),
  [`now: endpoints, ${range}`]: () => readEndpoints(db, { ...window, limit: 4 }),
  [`now: deploys, ${range}`]: () => readDeploys(db, window),
  [`now: duplicates at risk, ${range}`]: () => listEffects(db, { kind: 'duplicate', ...window, limit: 500 }),
})

function traceReads(db: Db, window: Window, rows: number, range: string): Record<string, Read> {
  const list = (filter: Partial<TraceFilter>, order: TraceOrder): Read => {
    return () => listTraces(db, { ...window, ...filter }, order, { limit: 50 })
  }
  const second: Read = async () => {
    const { next } = await listTraces(db, window, 'worst', { limit: 50 })
    return listTraces(db, window, 'worst', { limit: 50, cursor: next ?? undefined })
  }
  const traceId = createHash('md5')
    .update(`trace ${rows - 20}`)
    .digest('hex')
  return {
    [`traces: worst, ${range}`]: list({}, 'worst'),
    [`traces: worst, two pages, ${range}`]: second,
    [`traces: newest, ${range}`]: list({}, 'newest'),
    [`traces: failed, ${range}`]: list({ failedOnly: true }, 'worst'),
    [`traces: one endpoint, ${range}`]: list({ endpoint: 'POST /v1/refunds/cancel' }, 'worst'),
    [`traces: mismatch, ${range}`]: list({ outcome: 'mismatch' }, 'worst'),
    [`traces: behind a bar, ${range}`]: list({ bar: 'conflict' }, 'worst'),
    [`traces: count behind a bar, ${range}`]: () => countTraces(db, { ...window, bar: 'conflict' }),
    [`traces: by id, ${range}`]: list({ traceId }, 'worst'),
    [`traces: one trace, ${range}`]: () => readTrace(db, traceId),
  }
}

const contextOf = (db: Db): SystemContext => ({ db, clock: systemClock, log: silentLog, queue: noQueue })

const effectReads = (db: Db, window: Window, range: string): Record<string, Read> => ({
  [`effects: duplicates, ${range}`]: () => readCausedEffects(contextOf(db), { kind: 'duplicate', ...window }),
  [`effects: orphans, ${range}`]: () => readCausedEffects(contextOf(db), { kind: 'orphan', ...window }),
  [`effects: totals, ${range}`]: () => readEffectTotals(db, window),
  [`effects: orphan totals, ${range}`]: () => readOrphanTotals(db, window),
})

function keyReads(db: Db, clock: Clock, rows: number): Record<string, Read> {
  const list = (filter: KeyFilter): Read => {
    return () => listKeys({ db, clock }, filter, { limit: 50 })
  }
  const lately = Math.floor(rows / 10) * 10 - 120
  const keyHash = createHash('md5').update(`key ${lately}`).digest('hex')
  return {
    'keys: last changed': list({}),
    'keys: by prefix': list({ prefix: 'abcd' }),
    'keys: by reference': list({ reference: `order-${lately}` }),
    'keys: by trace': list({ traceId: createHash('md5').update(`trace ${lately}`).digest('hex') }),
    'keys: lease expired': list({ state: 'lease_expired' }),
    'keys: one scope': list({ scope: SCOPE }),
    'keys: facets': () => countKeys({ db, clock }, {}),
    'keys: scopes': () => listScopes(db, clock.now()),
    'keys: attempts of one': () => listKeyedRequests(db, { keyHash, limit: 200 }),
    'keys: effects of one': () => listKeyEffects(db, { scope: SCOPE, keyHash, limit: 200 }),
  }
}
